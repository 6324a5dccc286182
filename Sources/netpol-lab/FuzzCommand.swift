import ArgumentParser
import Documents
import Foundation
import Fuzz
import Lowering
import NetpolModel
import Report
import Worlds

struct FuzzCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuzz",
    abstract: "Make random clusters from seeds, and compare oracle, evaluator and real packets on each.",
    discussion: """
      Each failure is printed with its seed and the smallest manifest that still shows it. Feed that manifest to \
      run --as-stored -f -, or, if --live found it, to fuzz --replay.
      """)

  struct Count: Bounded {
    static let range = 1...1_000_000_000
    let value: Int
  }
  struct Steps: Bounded {
    static let range = 1...1000
    let value: Int
  }
  struct Mutants: Bounded {
    static let range = 1...100_000
    let value: Int
  }
  struct TimeLimit: Bounded {
    static let range = Duration.microseconds(1)...(.seconds(1000 * 3600))
    let value: Duration
  }

  @Option(help: "Seed of the first cluster. Each further cluster uses the next seed.")
  var seed: UInt64 = 1

  @Option(help: Count.help("Number of clusters."))
  var cases = Count(value: 100)

  @Option(help: "Enforcement style to test. Can be repeated. Default: all.")
  var style: [EnforcementStyle] = []

  @Flag(help: "Compare only oracle and evaluator. Needs no root and no namespaces, and is much faster.")
  var noKernel = false

  @Option(help: Count.help("Maximum flows tested per cluster and style."))
  var flows = Count(value: 400)

  @Flag(help: "Also prove each cluster: compare its rules with the specification for every packet.")
  var prove = false

  @Option(help: Count.help("Also compare this many random packets of each cluster and family with their classes."))
  var classPackets: Count?

  @Option(
    help: Count.help(
      "Also compare the rules that the kernel's own trace names with the evaluator's, for so many flows."))
  var traces: Count?

  @Option(help: TimeLimit.help("End with a report after this time, such as 90s, 10m or 1h."))
  var time: TimeLimit?

  @Option(help: ArgumentHelp("Write the manifest of each failure into this directory.", valueName: "directory"))
  var keep: String?

  @Flag(help: "Change each cluster one object at a time, with the smallest change of its rules, in a running lab.")
  var live = false

  @Option(help: Steps.help("With --live: number of changes per cluster."))
  var steps = Steps(value: 6)

  @Option(
    help: ArgumentHelp(
      "Check the cluster states in this file, in the form that --live prints, instead of random clusters. - for standard "
        + "input.", valueName: "file"))
  var replay: String?

  @Option(help: Mutants.help("Plant this many mistakes in the styles' rules, and report those that no packet reveals."))
  var mutants: Mutants?

  @Flag(
    help:
      "Feed the readers of manifests and dumps with randomly changed text instead. --cases is the number of texts.")
  var input = false

  @Option(
    help: """
      Plant one mistake, drawn from this seed, in each style, to see what a finding looks like. With --live or --replay, \
      changes forget to remove deleted pods from sets.
      """)
  var plant: UInt64?

  @Option(name: .shortAndLong, help: "Report format.")
  var output = ReportFormat.text

  func validate() throws {
    if [live, mutants != nil, replay != nil, input].count(where: { $0 }) > 1 {
      throw ValidationError("--live, --replay, --mutants and --input are different runs; give one of them")
    }
    if let mutants { try requireCases(for: mutants) }
    if traces != nil, noKernel || mutants != nil || input {
      throw ValidationError("--traces needs packets: leave --no-kernel, --mutants and --input out")
    }
    if prove || classPackets != nil, mutants != nil || input {
      throw ValidationError("--prove and --class-packets can't be combined with --mutants or --input")
    }
  }

  func run() throws {
    var styles = style.isEmpty ? EnforcementStyle.all : style
    Interruption.listen()
    if input { return try fuzzInput() }
    if let mutants { return try hunt(mutants.value, styles) }
    let replayed = try replay.map(sequence)
    // Before there is a second thread.
    if !noKernel { try enterNamespaces() }
    var check = noKernel ? WorldCheck() : try WorldCheck(packetsAs: version)
    check.flowLimit = flows.value
    check.proves = prove
    check.classPackets = classPackets?.value ?? 0
    check.tracedFlows = traces?.value ?? 0
    if let plant {
      check.forgetsMembers = live || replay != nil
      if !check.forgetsMembers { styles = try styles.map { try $0.mistaken(seed: plant) } }
    }
    let clock = ContinuousClock()
    let begin = clock.now
    check.mayGoOn = { mayGoOn(since: begin) }
    var summary = FuzzSummary()
    worlds: for index in 0..<(replayed == nil ? cases.value : 1) {
      if !check.mayGoOn() { break }
      let world = World(seed: seed &+ UInt64(index))
      let sequence = replayed ?? (live ? LiveWorld(seed: world.seed).sequence(steps: steps.value) : nil)
      for style in styles where check.mayGoOn() {
        let result =
          sequence.map { check.check($0, style, seed: world.seed) }
          ?? check.check(world.cluster, style, seed: world.seed)
        // What programs of the lab do in that moment proves nothing: the terminal has told them too.
        if Interruption.isAsked { break worlds }
        if let fault = result.machineFault { throw fault }
        summary.coverage.add(result.coverage)
        if result.failures.isEmpty { continue }
        Terminal.progress("")
        let finding =
          try sequence.map { try self.finding(result, $0, world.seed, style, &check) }
          ?? self.finding(result, world, style, &check)
        summary.findings.append(finding)
        if output == .text { try Terminal.print(finding.document.text(width: Terminal.width)) }
        try keep(finding)
      }
      summary.clusters += 1
      Terminal.progress(
        "\(summary.clusters) of \(cases.value) clusters, \(summary.coverage.flows) flows, \(summary.findings.count) failures"
      )
    }
    Terminal.progress("")
    summary.labs = check.labsBuilt
    summary.time = clock.now - begin
    try output.print(summary.document)
    if !summary.findings.isEmpty { throw ExitCode.finding }
  }

  /// Whether neither the user nor `--time` has ended the run that began then.
  func mayGoOn(since begin: ContinuousClock.Instant) -> Bool {
    !Interruption.isAsked && (time.map { ContinuousClock.now - begin <= $0.value } ?? true)
  }

  /// Shrunk: a lab for each attempt takes its time.
  private func finding(
    _ result: WorldCheck.Result, _ world: World, _ style: EnforcementStyle, _ check: inout WorldCheck
  ) throws -> FuzzFinding {
    let kind = result.failures[0].kind
    let smallest = world.cluster.shrunk(attempts: noKernel ? 1000 : 150) { smaller in
      check.mayGoOn() && check.check(smaller, style, seed: world.seed).failures.contains { $0.kind == kind }
    }
    let shown = check.check(smallest, style, seed: world.seed).failures.first { $0.kind == kind }
    return FuzzFinding(
      seed: world.seed, style: style.name, failure: result.failures[0], of: result.failures.count,
      smallest: shown?.text, manifest: (shown == nil ? world.cluster : smallest).manifest)
  }

  private func keep(_ finding: FuzzFinding) throws {
    guard let keep else { return }
    let directory = URL(fileURLWithPath: keep)
    let name = "\(live ? "live-" : "")\(finding.seed)-\(finding.style).yaml"
    do {
      try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
      try Data(finding.manifest.utf8).write(to: directory.appendingPathComponent(name))
    } catch { throw OutputError(description: "--keep \(keep): \(error.localizedDescription)") }
  }
}
