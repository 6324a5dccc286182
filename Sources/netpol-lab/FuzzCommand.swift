import ArgumentParser
import Foundation
import Fuzz
import Lowering
import NetpolModel
import Report
import Worlds

struct FuzzCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuzz",
    abstract: "Makes random clusters from seeds, and compares oracle, evaluator and real packets on each.",
    discussion: """
      A failure is printed with its seed and the smallest manifest that still shows it: input for run --as-stored -f -, \
      or, of --live, for fuzz --replay.
      """)

  enum Format: String, CaseIterable, ExpressibleByArgument { case text, json }

  @Option(help: "The first seed; each further case has the next one.")
  var seed: UInt64 = 1

  @Option(help: "How many clusters.")
  var cases = 100

  @Option(help: "A way to enforce; may be repeated. All where none is given.")
  var style: [String] = []

  @Flag(help: "Oracle and evaluator alone: no root, no namespaces, and much faster.")
  var noKernel = false

  @Option(help: "The most flows of a cluster in a style.")
  var flows = 400

  @Option(help: "No new case after this time, as 90s, 10m or 1h.")
  var time: String?

  @Option(help: "Writes the manifest of each failure into this directory.")
  var keep: String?

  @Flag(help: "Changes each cluster one object at a time, and its rules as little as that needs, the lab standing.")
  var live = false

  @Option(help: "With --live: how many changes.")
  var steps = 6

  @Option(
    help: "Checks the states of a cluster in this file, as --live prints them, and no worlds; - for standard input.")
  var replay: String?

  @Option(help: "Makes so many mistakes in the styles' rules, and tells of those that no packet of the worlds shows.")
  var mutants: Int?

  @Option(
    help: """
      Makes in each style the mistake that this seed draws, to see what a finding looks like; with --live or --replay \
      changes forget to take out of sets who has gone.
      """)
  var plant: UInt64?

  @Option(name: .shortAndLong, help: "The report: text or json.")
  var output = Format.text

  func run() throws {
    guard cases > 0 else { throw InputError("--cases \(cases): write 1 or more") }
    guard steps > 0 else { throw InputError("--steps \(steps): write 1 or more") }
    guard flows > 0 else { throw InputError("--flows \(flows): write 1 or more") }
    var styles = try style.isEmpty ? EnforcementStyle.all : style.map { try EnforcementStyle(argument: $0) }
    guard mutants.map({ $0 > 0 }) ?? true else { throw InputError("--mutants \(mutants ?? 0): write 1 or more") }
    guard [live, mutants != nil, replay != nil].filter({ $0 }).count < 2 else {
      throw InputError("--live, --replay and --mutants are three different runs: give one of them")
    }
    let limit = try time.map { text in
      guard let limit = Duration(text: text), limit > .zero else {
        throw InputError("--time \(text): write one such as 90s, 10m or 1h")
      }
      return limit
    }
    Interruption.listen()
    if let mutants { return try hunt(mutants, styles) }
    let replayed = try replay.map(sequence)
    // Before there is a second thread.
    if !noKernel { try enterNamespaces() }
    var check = noKernel ? WorldCheck() : try WorldCheck(packetsAs: version)
    check.flowLimit = flows
    if let plant {
      check.forgetsMembers = live || replay != nil
      if !check.forgetsMembers { styles = try styles.map { try $0.mistaken(seed: plant) } }
    }
    let clock = ContinuousClock()
    let begin = clock.now
    var summary = FuzzSummary()
    worlds: for index in 0..<(replayed == nil ? cases : 1) {
      if let limit, clock.now - begin > limit { break }
      let world = World(seed: seed &+ UInt64(index))
      let sequence = replayed ?? (live ? LiveWorld(seed: world.seed).sequence(steps: steps) : nil)
      for style in styles {
        let result =
          sequence.map { check.check($0, style, seed: world.seed) }
          ?? check.check(world.cluster, style, seed: world.seed)
        // What programs of the lab do in that moment proves nothing: the terminal has told them too.
        if Interruption.isAsked { break worlds }
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
        "\(summary.clusters) of \(cases) clusters, \(summary.coverage.flows) flows, \(summary.findings.count) failures")
    }
    Terminal.progress("")
    summary.labs = check.labsBuilt
    summary.time = clock.now - begin
    switch output {
    case .text: try Terminal.print(summary.document.text(width: Terminal.width))
    case .json: try Terminal.print(json: try summary.document.json())
    }
    if !summary.findings.isEmpty { throw ExitCode.finding }
  }

  /// Shrunk: a lab for each attempt takes its time.
  private func finding(
    _ result: WorldCheck.Result, _ world: World, _ style: EnforcementStyle, _ check: inout WorldCheck
  ) throws -> FuzzFinding {
    let kind = result.failures[0].kind
    let smallest = world.cluster.shrunk(attempts: noKernel ? 1000 : 150) { smaller in
      !Interruption.isAsked && check.check(smaller, style, seed: world.seed).failures.contains { $0.kind == kind }
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
