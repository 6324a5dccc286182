internal import Apply
internal import Kernel
internal import NetpolModel
public import StandingLab
public import Statistics

/// Measures the cost of single rules: of copies of a rule in a chain that each packet passes, compared with the chain
/// without them.
public struct MicroBench: Sendable {
  public let rounds: Int
  private let rules: [MicroRule]

  public init(rounds: Int = 300) { self.init(rounds: rounds, rules: MicroRule.all) }

  init(rounds: Int, rules: [MicroRule]) {
    self.rounds = rounds
    self.rules = rules
  }

  /// If `stop` returns true, the report covers what was measured until then.
  ///
  /// Throws `LabFailure` if this machine can't run the lab, and `Interrupted` if it is stopped too early. Back ends
  /// whose program is missing are left out.
  public func run(
    version: String, progress: (BenchProgress) -> Void = { _ in }, stop: () -> Bool = { false }
  ) throws -> MicroBenchReport {
    try withWorker(version: version) { environment, worker in
      try environment.requireAllPrograms()
      let begin = ContinuousClock.now
      let backends = MicroRule.Backend.allCases.filter { backend in
        rules.contains { $0.backend == backend } && isThere(backend, worker)
      }
      let measured = rules.filter { backends.contains($0.backend) }
      // The empty chain of each back end comes first. The first of them is added again at the end, for the second pair.
      let rulesets: [(backend: MicroRule.Backend, rule: MicroRule?)] =
        backends.map { ($0, nil) } + measured.map { ($0.backend, $0) } + backends.prefix(1).map { ($0, nil) }
      let flow = BenchFlow(
        source: MicroRule.source, destination: MicroRule.destination, transport: .udp, port: BenchWorld.port,
        way: .routed)
      let paths = try rulesets.map { _ in try PacketPath(BenchAddresses(.v4), worker: worker) }
      for path in paths { try path.waitForLinks() }
      let cells = try zip(rulesets, paths).enumerated().map { number, pair in
        let ((backend, rule), path) = pair
        if stop() { throw Interrupted() }
        progress(BenchProgress(.building(number + 1, of: rulesets.count)))
        try load(rule, backend, in: path.node, worker)
        let cell = PacketCell(path, .established, [flow], isAllowed: true)
        try cell.check(rule?.name ?? "the empty chain")
        return cell
      }
      let twin = cells.count - 1
      let run = try InterleavedRun(worker: worker, rounds: rounds).run(
        [cells + cells.prefix(1)], progress: progress, stop: stop)
      let samples = run.samples
      let rows = measured.enumerated().map { index, rule in
        let base = rule.base.flatMap { name in
          measured.firstIndex { $0.name == name && $0.backend == rule.backend }.map { $0 + backends.count }
        }
        let bare = backends.firstIndex(of: rule.backend) ?? 0
        let copies = rule.copies - (base.map { measured[$0 - backends.count].copies % 100 } ?? 0)
        return MicroBenchReport.Row(
          backend: rule.backend.rawValue, name: rule.name,
          cost: samples.difference(index + backends.count, over: base ?? bare) / Double(max(copies, 1)))
      }
      let base = samples.median(0)
      return MicroBenchReport(
        environment: environment, machine: machineText(), rounds: rounds, measuredRounds: samples.rounds,
        clock: run.clock, isRealTime: run.isRealTime, packet: base, rows: rows,
        sameNamespace: samples.difference(cells.count, over: 0), otherNamespace: samples.difference(twin, over: 0),
        duration: ContinuousClock.now - begin)
    }
  }

  private func isThere(_ backend: MicroRule.Backend, _ worker: NamespaceWorker) -> Bool {
    (try? Command(backend.program + ["--version"]).run(on: worker))?.succeeded == true
  }

  private func load(
    _ rule: MicroRule?, _ backend: MicroRule.Backend, in node: NetworkNamespace, _ worker: NamespaceWorker
  ) throws {
    let lock = try XtablesLock()
    func feed(_ program: [String], _ text: String) throws {
      _ = try lock.command(program, input: Array(text.utf8)).run(in: node, on: worker).requireSuccess()
    }
    if backend == .nft { return try feed(["nft", "-f", "-"], MicroRuleset.nftText(rule)) }
    if rule?.rule.contains("--match-set") == true { try feed(["ipset", "restore"], MicroRuleset.ipsetText) }
    try feed(backend.program, MicroRuleset.iptablesText(rule))
  }
}

extension MicroRule.Backend {
  fileprivate var program: [String] {
    switch self {
    case .nft: ["nft"]
    case .iptables: ["iptables-restore"]
    case .legacy: ["iptables-legacy-restore"]
    }
  }
}

/// The cost of single rules.
public struct MicroBenchReport: Sendable {
  public struct Row: Hashable, Sendable {
    public var backend: String
    public var name: String
    /// Nanoseconds per copy.
    public var cost: Estimate
  }

  public var environment: LabEnvironment
  public var machine: String
  /// Number of planned and of measured rounds.
  public var rounds, measuredRounds: Int
  public var clock: BenchClock
  public var isRealTime: Bool
  /// Nanoseconds of a packet through an empty chain.
  public var packet: Estimate
  public var rows: [Row]
  /// Differences when the empty chain is measured again: in the same namespace, and in another one.
  public var sameNamespace, otherNamespace: Estimate
  public var duration: Duration

  /// Why these figures can't be trusted. `nil` if they can.
  public var noise: String? {
    tooNoisy([
      PacketBenchReport.Resolution(
        batch: 0, .sameNamespace, BenchProbe(.established, .firstPod), what: "the empty chain", "", sameNamespace,
        base: packet.value)
    ])
  }
  /// How much of the plan was measured. `nil` if all of it was.
  public var interruption: String? { measuredRounds < rounds ? "\(measuredRounds) of \(rounds) rounds" : nil }
}
