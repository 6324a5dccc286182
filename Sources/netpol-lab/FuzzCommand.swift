import ArgumentParser
import Foundation
import Lab
import Lowering
import Worlds

struct FuzzCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuzz",
    abstract: "Makes random clusters from seeds, and compares oracle, evaluator and real packets on each.",
    discussion: """
      A failure is printed with its seed and the smallest manifest that still shows it: input for run --as-stored -f -.
      """)

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

  @Option(help: "Makes so many mistakes in the styles' rules, and tells of those that no flow of the worlds shows.")
  var mutants: Int?

  @Option(help: "Makes in each style the mistake that this seed draws, to see what a finding looks like.")
  var plant: UInt64?

  func run() throws {
    guard cases > 0 else { throw InputError("--cases \(cases): write 1 or more") }
    guard steps > 0 else { throw InputError("--steps \(steps): write 1 or more") }
    guard flows > 0 else { throw InputError("--flows \(flows): write 1 or more") }
    var styles = try style.isEmpty ? EnforcementStyle.all : style.map(EnforcementStyle.init(argument:))
    guard mutants.map({ $0 > 0 }) ?? true else { throw InputError("--mutants \(mutants ?? 0): write 1 or more") }
    let limit = try time.map { text in
      guard let limit = duration(text) else { throw InputError("--time \(text): write one such as 90s, 10m or 1h") }
      return limit
    }
    Interruption.listen()
    if let mutants { return try hunt(mutants, styles) }
    if let plant { styles = try styles.map { try $0.mistaken(seed: plant) } }
    if !noKernel { try enterNamespaces() }
    var check = noKernel ? WorldCheck() : try WorldCheck(packetsAs: version)
    check.flowLimit = flows
    let clock = ContinuousClock()
    let begin = clock.now
    var coverage = FuzzCoverage()
    var failed = 0
    var done = 0
    worlds: for index in 0..<cases {
      if let limit, clock.now - begin > limit { break }
      let world = World(seed: seed &+ UInt64(index))
      for style in styles {
        var changing = LiveWorld(seed: world.seed)
        let result =
          live
          ? check.check(&changing, style, steps: steps) : check.check(world.cluster, style, seed: world.seed)
        // What programs of the lab do in that moment proves nothing: the terminal has told them too.
        if Interruption.isAsked { break worlds }
        coverage.add(result.coverage)
        guard let failure = result.failures.first else { continue }
        failed += 1
        Terminal.progress("")
        if live {
          try report(failure, of: result.failures.count, changing, style)
        } else {
          try report(failure, of: result.failures.count, world, style, &check)
        }
      }
      done += 1
      Terminal.progress("\(done) of \(cases) clusters, \(coverage.flows) flows, \(failed) failures")
    }
    Terminal.progress("")
    let summary = FuzzSummary(
      coverage, clusters: done, failed: failed, labs: check.labsBuilt, time: clock.now - begin)
    try Terminal.print(summary.text)
    if failed > 0 { throw ExitCode(ProgramExit.finding.rawValue) }
  }

  private func report(
    _ failure: FuzzFailure, of count: Int, _ world: World, _ style: EnforcementStyle, _ check: inout WorldCheck
  ) throws {
    try Terminal.print("seed \(world.seed), style \(style.name): \(failure.text) (\(count) in all)\n")
    // A lab for each attempt takes its time.
    let smallest = world.cluster.shrunk(attempts: noKernel ? 1000 : 150) { smaller in
      !Interruption.isAsked
        && check.check(smaller, style, seed: world.seed).failures.contains { $0.kind == failure.kind }
    }
    let shown = check.check(smallest, style, seed: world.seed).failures.first { $0.kind == failure.kind }
    let manifest =
      "# seed \(world.seed), style \(style.name)\n# \((shown ?? failure).text)\n"
      + (shown == nil ? world.cluster : smallest).manifest
    try Terminal.print(manifest)
    try write(manifest, "\(world.seed)-\(style.name).yaml")
  }

  /// As the cluster was changed last, which may be too little: the seed gives all changes again.
  private func report(
    _ failure: FuzzFailure, of count: Int, _ world: LiveWorld, _ style: EnforcementStyle
  ) throws {
    try Terminal.print("seed \(world.seed), style \(style.name): \(failure.text) (\(count) in all)\n")
    let manifest =
      "# --live --seed \(world.seed) --steps \(steps), style \(style.name)\n# \(failure.text)\n"
      + world.cluster.manifest
    try Terminal.print(manifest)
    try write(manifest, "live-\(world.seed)-\(style.name).yaml")
  }

  private func write(_ manifest: String, _ name: String) throws {
    guard let keep else { return }
    let directory = URL(fileURLWithPath: keep)
    do {
      try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
      try Data(manifest.utf8).write(to: directory.appendingPathComponent(name))
    } catch { throw OutputError(description: "--keep \(keep): \(error.localizedDescription)") }
  }

  private func duration(_ text: String) -> Duration? {
    let seconds = ["s": 1, "m": 60, "h": 3600]
    guard let unit = text.last.flatMap({ seconds[String($0)] }), let number = Int(text.dropLast()), number > 0,
      number <= 1_000_000
    else { return nil }
    return .seconds(number * unit)
  }
}
