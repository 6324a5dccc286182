internal import Apply
internal import Kernel
public import Lowering
public import NetpolModel
internal import Oracle
internal import Path
internal import RuleIR

/// Measures what packets of a user's own flows pay on one of the nodes, in every style.
///
/// Of the node's rules those for policies are loaded, those for services are not. Flows are what `ProbePlan` finds that
/// go to a pod of the node, over IPv4.
public struct PolicyBench: Sendable {
  private let cluster: Cluster
  private let node: Node
  private let styles: [EnforcementStyle]
  private let rounds: Int
  private let allowed, denied: [BenchFlow]
  private let names: [BenchFlow: String]

  /// More flows than these are not asked for, an even choice of all.
  private static let mostFlows = 64
  /// So many are also measured alone.
  private static let mostAlone = 6

  /// Throws `NothingToAsk` where no flow goes to a pod of any node.
  public init(_ cluster: Cluster, styles: [EnforcementStyle] = EnforcementStyle.all, rounds: Int = 300) throws {
    self.styles = styles
    self.rounds = rounds
    let oracle = Oracle(cluster)
    let pods = Dictionary(cluster.pods.filter(\.isActionable).map { ($0.id, $0) }) { first, _ in first }
    let place = { (endpoint: Endpoint) -> String? in
      if case .pod(let id) = endpoint { pods[id]?.node } else { nil }
    }
    let flows = ProbePlan(cluster, Topology(cluster)).flows.filter { flow in
      guard flow.family == .v4, flow.transport != .sctp, let home = place(flow.destination) else { return false }
      if case .node(let name) = flow.source { return name != home }
      return flow.sourceAddress != flow.destinationAddress
    }
    let counts = Dictionary(grouping: flows) { place($0.destination) ?? "" }.mapValues(\.count)
    guard let busiest = counts.max(by: { ($0.value, $1.key) < ($1.value, $0.key) })?.key,
      let node = cluster.node(busiest)
    else { throw NothingToAsk(description: "no flow over IPv4 goes to a pod of a node: there is nothing to measure") }
    self.cluster = cluster
    self.node = node
    var names: [BenchFlow: String] = [:]
    var allowed: [BenchFlow] = []
    var denied: [BenchFlow] = []
    for flow in flows where place(flow.destination) == node.name {
      let isLocal = place(flow.source) == node.name
      let judged = isLocal ? oracle.judge(flow) : oracle.judge(flow, .ingress)
      let benchFlow = BenchFlow(
        source: flow.sourceAddress, destination: flow.destinationAddress, transport: flow.transport, port: flow.port,
        way: isLocal ? .bridged : .routed)
      if names.updateValue(flow.description, forKey: benchFlow) != nil { continue }
      if judged.verdict == .allow { allowed.append(benchFlow) } else { denied.append(benchFlow) }
    }
    self.names = names
    self.allowed = allowed.evenly(Self.mostFlows)
    self.denied = denied.evenly(Self.mostFlows)
  }

  /// Throws `LabFailure` where the machine can't do it.
  public func run(version: String, progress: (PacketBench.Progress) -> Void = { _ in }) throws -> PolicyBenchReport {
    try withLab(version: version) { environment, worker in
      let begin = ContinuousClock.now
      let rules: [BenchRules] = [.none, .conntrackOnly] + styles.map { .style($0) }
      let paths = try rules.map { _ in
        try PacketPath(nodeAddress: nodeAddress, pods: blocks, clients: [], worker: worker)
      }
      for path in paths { try path.waitForLinks() }
      for (number, path) in paths.enumerated() {
        progress(.building(number + 1, of: rules.count))
        if let ruleset = rules[number].ruleset(node, in: cluster) {
          try RuleLoader(worker: worker).load(ruleset, in: path.node)
        }
      }
      progress(.checking)
      let agreed = try agreement(paths.dropFirst(2))
      var subjects = [
        Subject("all \(agreed.allowed.count) allowed flows in turn", .established, agreed.allowed, true),
        Subject("all \(agreed.allowed.count) allowed flows in turn", .first, agreed.allowed, true),
        Subject("all \(agreed.denied.count) denied flows in turn", .first, agreed.denied, false),
      ]
      for flow in agreed.allowed.evenly(Self.mostAlone) {
        for phase in BenchProbe.Phase.allCases { subjects.append(Subject(names[flow] ?? "", phase, [flow], true)) }
      }
      subjects.removeAll { $0.flows.isEmpty }
      if subjects.isEmpty { throw NothingToAsk(description: "the styles agree on no flow to a pod of \(node.name)") }
      let groups = try subjects.map { subject in
        var cells: [PacketCell] = []
        for (variant, path) in paths.enumerated() {
          let cell = PacketCell(path, subject.phase, subject.flows, isAllowed: subject.isAllowed || variant < 2)
          try cell.establish()
          try cell.check("\(rules[variant].name), \(subject.name)")
          cells.append(cell)
        }
        // The last style once more.
        return cells + cells.suffix(1)
      }
      let run = try InterleavedRun(worker: worker, rounds: rounds).run(groups) { done, elapsed in
        progress(.measuring(round: done, of: rounds, left: elapsed / done * (rounds - done)))
      }
      var report = PolicyBenchReport(
        environment: environment, machine: machineText(), node: node.name, rounds: rounds, clock: run.clock,
        isRealTime: run.isRealTime, unequal: allowed.count + denied.count - agreed.allowed.count - agreed.denied.count)
      tell(run.samples, subjects, rules, &report)
      report.duration = ContinuousClock.now - begin
      return report
    }
  }

  private struct Subject {
    let name: String
    let phase: BenchProbe.Phase
    let flows: [BenchFlow]
    let isAllowed: Bool
    init(_ name: String, _ phase: BenchProbe.Phase, _ flows: [BenchFlow], _ isAllowed: Bool) {
      self.name = name
      self.phase = phase
      self.flows = flows
      self.isAllowed = isAllowed
    }
  }

  private func tell(
    _ samples: PairedSamples, _ subjects: [Subject], _ rules: [BenchRules], _ report: inout PolicyBenchReport
  ) {
    for (index, subject) in subjects.enumerated() {
      let first = index * (rules.count + 1)
      let again = samples.difference(first + rules.count, over: first + rules.count - 1)
      report.resolutions.append(
        .init(
          batch: 0, .sameNamespace, BenchProbe(subject.phase, .spread), rules.last?.name ?? "", again,
          base: samples.median(first).value))
      var costs: [(name: String, cost: Estimate)] = []
      for (variant, kind) in rules.enumerated() {
        let cost = samples.difference(first + variant, over: first)
        report.rows.append(
          .init(
            flows: subject.name, phase: subject.phase, isAllowed: subject.isAllowed, rules: kind.name,
            packet: samples.median(first + variant), overNothing: cost))
        if variant > 1 { costs.append((kind.name, cost)) }
      }
      if let standing = Standing(costs, resolution: abs(again.value)) {
        report.verdicts.append(.init(flows: subject.name, phase: subject.phase, standing: standing))
      }
    }
  }

  private var nodeAddress: IPAddress { node.address(.v4) ?? BenchWorld.nodeAddress }

  /// Where the node's pods are.
  private var blocks: [CIDR] {
    let own = node.podCIDRs.filter { $0.family == .v4 }
    let outside = Set((allowed + denied).map(\.destination)).filter { address in !own.contains { $0.contains(address) }
    }
    return own + outside.sorted().map { CIDR($0) }
  }

  /// The flows of which every style thinks as the specification does: first packets tell.
  private func agreement(_ paths: ArraySlice<PacketPath>) throws -> (allowed: [BenchFlow], denied: [BenchFlow]) {
    func passes(_ path: PacketPath, _ flows: [BenchFlow]) throws -> Int {
      let before = try path.passed()
      try PacketCell(path, .first, flows, isAllowed: true).sendOnce()
      return try path.passed() - before
    }
    func agreed(_ flows: [BenchFlow], _ isAllowed: Bool) throws -> [BenchFlow] {
      // One by one only where all together tell that some differ.
      let doubted = try paths.filter { try passes($0, flows) != (isAllowed ? flows.count : 0) }
      return try flows.filter { flow in try doubted.allSatisfy { try (passes($0, [flow]) == 1) == isAllowed } }
    }
    return (try agreed(allowed, true), try agreed(denied, false))
  }
}

extension Array {
  /// As many as are wanted, spread evenly over all.
  fileprivate func evenly(_ wanted: Int) -> [Element] {
    count <= wanted ? self : (0..<wanted).map { self[$0 * count / wanted] }
  }
}

/// What packets of a user's flows cost on a node, in every style.
public struct PolicyBenchReport: Sendable {
  public struct Row: Hashable, Sendable {
    public var flows: String
    public var phase: BenchProbe.Phase
    public var isAllowed: Bool
    public var rules: String
    public var packet, overNothing: Estimate
  }

  public struct Verdict: Hashable, Sendable {
    public var flows: String
    public var phase: BenchProbe.Phase
    public var standing: Standing
  }

  public var environment: LabEnvironment
  public var machine: String
  public var node: String
  public var rounds: Int
  public var clock: BenchClock
  public var isRealTime: Bool
  /// Flows that are left out, since a style does not do with them what the specification says.
  public var unequal: Int
  public var rows: [Row] = []
  public var resolutions: [PacketBenchReport.Resolution] = []
  public var verdicts: [Verdict] = []
  public var duration = Duration.zero

  /// Why these figures are not to be trusted; nil where they are.
  public var noise: String? { tooNoisy(resolutions) }
}
