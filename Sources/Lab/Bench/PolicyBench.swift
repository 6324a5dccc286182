internal import Apply
internal import Kernel
public import Lowering
public import NetpolModel
internal import StandingLab
internal import Statistics
internal import Text

/// Measures what packets of a user's own flows cost on one of the nodes, in every style.
///
/// Only the node's rules for policies are loaded, not those for services. The flows are those of `ProbePlan` that go to
/// a pod of the node.
public struct PolicyBench: Sendable {
  private let cluster: Cluster
  private let flows: PolicyFlows
  private let styles: [EnforcementStyle]
  private let rounds: Int

  /// Maximum number of allowed flows that are also measured alone.
  private static let mostAlone = 6

  /// Throws `NothingToAsk` if no flow of the families goes to a pod of any node.
  public init(
    _ cluster: Cluster, families: [IPFamily] = IPFamily.allCases,
    styles: [EnforcementStyle] = EnforcementStyle.all, rounds: Int = 300
  ) throws {
    self.cluster = cluster
    self.styles = styles
    self.rounds = rounds
    flows = try PolicyFlows(cluster, families: families)
  }

  /// If `stop` returns true, the report covers what was measured until then.
  ///
  /// Throws `LabFailure` if this machine can't run the lab, `NothingToAsk` if the styles agree on no flow, and
  /// `Interrupted` if it is stopped too early.
  public func run(
    version: String, progress: (BenchProgress) -> Void = { _ in }, stop: () -> Bool = { false }
  ) throws -> PolicyBenchReport {
    try withWorker(version: version) { environment, worker in
      try environment.requireAllPrograms()
      let begin = ContinuousClock.now
      let rules: [BenchRules] = [.none, .conntrackOnly] + styles.map { .style($0) }
      let paths = try rules.map { _ in
        try PacketPath(nodeAddresses: nodeAddresses, pods: flows.blocks, clients: [], worker: worker)
      }
      for path in paths { try path.waitForLinks() }
      for (number, path) in paths.enumerated() {
        if stop() { throw Interrupted() }
        progress(BenchProgress(.building(number + 1, of: rules.count)))
        if let ruleset = rules[number].ruleset(flows.node, in: cluster) {
          try RuleLoader(worker: worker).load(ruleset, in: path.node)
        }
      }
      progress(BenchProgress(.checking))
      let agreed = try agreement(paths.dropFirst(2))
      let subjects = subjects(agreed)
      if subjects.isEmpty {
        throw NothingToAsk(description: "there is no flow to a pod of \(flows.node.name) on which all styles agree")
      }
      let groups = try subjects.map { subject in
        if stop() { throw Interrupted() }
        var cells: [PacketCell] = []
        for (variant, path) in paths.enumerated() {
          let cell = PacketCell(path, subject.phase, subject.flows, isAllowed: subject.isAllowed || variant < 2)
          try cell.establish()
          try cell.check("\(rules[variant].name), \(subject.name)")
          cells.append(cell)
        }
        // The last style again.
        return cells + cells.suffix(1)
      }
      let run = try InterleavedRun(worker: worker, rounds: rounds).run(groups, progress: progress, stop: stop)
      var report = PolicyBenchReport(
        environment: environment, machine: machineText(), origin: origin(agreed), sent: sent(agreed), rounds: rounds,
        measuredRounds: run.samples.rounds, clock: run.clock, isRealTime: run.isRealTime)
      tell(run.samples, subjects, rules, &report)
      report.duration = ContinuousClock.now - begin
      return report
    }
  }

  private var nodeAddresses: [IPAddress] {
    flows.families.map { flows.node.address($0) ?? BenchAddresses($0).node }
  }

  /// The flows on which every style does what the specification says. This is tested with first packets.
  private func agreement(_ paths: ArraySlice<PacketPath>) throws -> PolicyFlows {
    func passes(_ path: PacketPath, _ flows: [BenchFlow]) throws -> Int {
      let before = try path.passed()
      try PacketCell(path, .first, flows, isAllowed: true).sendOnce()
      return try path.passed() - before
    }
    return try flows.filtered { group in
      // Flows are tested one by one only if the whole group shows that some differ.
      let doubted = try paths.filter { try passes($0, group.flows) != (group.isAllowed ? group.flows.count : 0) }
      return try group.flows.filter { flow in
        try doubted.allSatisfy { try (passes($0, [flow]) == 1) == group.isAllowed }
      }
    }
  }

  // MARK: - What is measured

  private struct Subject {
    let name: String
    let family: IPFamily
    let phase: BenchProbe.Phase
    let flows: [BenchFlow]
    let isAllowed: Bool
  }

  /// All flows of each group in turn, and some of the allowed ones alone.
  private func subjects(_ chosen: PolicyFlows) -> [Subject] {
    let together = chosen.groups.flatMap { group -> [Subject] in
      if group.flows.isEmpty { return [] }
      let family = chosen.families.count > 1 ? " \(group.family.rawValue)" : ""
      let name = counted(group.flows.count, "\(group.isAllowed ? "allowed" : "denied")\(family) flow") + " in turn"
      return (group.isAllowed ? BenchProbe.Phase.allCases : [.first]).map { phase in
        Subject(name: name, family: group.family, phase: phase, flows: group.flows, isAllowed: group.isAllowed)
      }
    }
    let alone = chosen.groups.filter(\.isAllowed).flatMap { group in
      group.flows.evenly(Self.mostAlone / chosen.families.count).flatMap { flow in
        BenchProbe.Phase.allCases.map { phase in
          Subject(name: chosen.name(flow), family: group.family, phase: phase, flows: [flow], isAllowed: true)
        }
      }
    }
    return together + alone
  }

  private func origin(_ agreed: PolicyFlows) -> PolicyBenchReport.Origin {
    .init(
      node: flows.node.name, pods: cluster.pods.count { $0.isActionable && $0.node == flows.node.name },
      policies: cluster.policies.count, flows: flows.groups.map(\.found).reduce(0, +),
      unequal: flows.count - agreed.count)
  }

  private func sent(_ agreed: PolicyFlows) -> [PolicyBenchReport.SentFlow] {
    agreed.groups.flatMap { group in
      group.flows.map {
        .init(flow: agreed.name($0), family: group.family, way: $0.way, isAllowed: group.isAllowed)
      }
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
          batch: 0, .sameNamespace, BenchProbe(subject.phase, .spread),
          what: "\(subject.name), \(subject.phase.name)", rules.last?.name ?? "", again,
          base: samples.median(first).value))
      var costs: [(name: String, cost: Estimate)] = []
      for (variant, kind) in rules.enumerated() {
        let cost = samples.difference(first + variant, over: first)
        report.rows.append(
          .init(
            flows: subject.name, family: subject.family, phase: subject.phase, isAllowed: subject.isAllowed,
            rules: kind.name, packet: samples.median(first + variant), overNothing: cost))
        if variant > 1 { costs.append((kind.name, cost)) }
      }
      if let standing = Standing(costs, resolution: abs(again.value)) {
        report.verdicts.append(.init(flows: subject.name, phase: subject.phase, standing: standing))
      }
    }
  }
}
