internal import Enforcement
internal import EngineComparison
internal import Kernel
public import Lowering
public import NetpolModel
internal import Network
public import Path
internal import ServiceProxy
public import StandingLab
public import Verdicts

/// Builds a cluster in namespaces, loads a style's rules on every node, sends the packets and compares the engines.
public struct ClusterRun: Sendable {
  public var style: EnforcementStyle
  public var selection: ProbePlan.Selection
  /// Whether a known deviation counts as a failure.
  public var strict: Bool
  /// Whether to ask every flow of the plan. If false, only expectations are checked.
  public var asksMatrix: Bool
  /// kube-router's version stamp, which is part of its chain names.
  public var versionStamp: String
  public var packets = Packets.upTo(50_000)
  /// What to look for besides the reasons of flows that are explained. `nil`: nothing.
  public var advice: AdviceRequest?

  /// How many packets of a matrix are sent.
  public enum Packets: Hashable, Sendable {
    /// One for each flow.
    case all
    /// At least one for each class of flows.
    case classes
    /// The same, but no more than this.
    case atMost(Int)
    /// One for each flow, if there are no more than this. Otherwise by class.
    case upTo(Int)
  }

  public init(
    style: EnforcementStyle, selection: ProbePlan.Selection = .init(), strict: Bool = false,
    asksMatrix: Bool = true, versionStamp: String = "1"
  ) {
    self.style = style
    self.selection = selection
    self.strict = strict
    self.asksMatrix = asksMatrix
    self.versionStamp = versionStamp
  }

  /// Throws `NothingToAsk` if the selection names an end and matches no flow of the cluster. Needs no lab.
  public func requireFlow(in cluster: Cluster) throws(NothingToAsk) {
    if !asksMatrix || !selection.namesAnEnd { return }
    let topology = Topology(cluster)
    if let absence = NoFlow.absence(of: selection, in: topology) { throw NothingToAsk(description: "\(absence)") }
    // As a rule, the flows of one sender are enough to tell, and they are quick to plan.
    let senders = selection.sources.map { $0.map { [$0] } } ?? cluster.pods.map { [.pod($0.id)] } + [nil]
    for sender in senders {
      var selection = selection
      selection.sources = sender
      if !ProbePlan(cluster, topology, only: selection).isEmpty { return }
    }
    throw nothingToAsk(in: cluster, topology)
  }

  /// The flows of a selection that names both ends. Throws `NothingToAsk` if there are none. Needs no lab.
  public func selected(in cluster: Cluster, _ topology: Topology) throws(NothingToAsk) -> SelectedFlows {
    if let absence = NoFlow.absence(of: selection, in: topology) { throw NothingToAsk(description: "\(absence)") }
    let part =
      selection.addresses(in: cluster, topology).map { cluster.reached(from: $0, narrowsPolicies: false) } ?? cluster
    let pairs = PairFlows(part, topology, only: selection)
    let plan = ProbePlan(part, topology, pairs, only: selection)
    if plan.isEmpty { throw nothingToAsk(in: cluster, topology) }
    return SelectedFlows(cluster: cluster, topology: topology, plan: plan, pairs: pairs)
  }

  func nothingToAsk(in cluster: Cluster, _ topology: Topology) -> NothingToAsk {
    NothingToAsk(
      description: NoFlow(selection, in: cluster, topology)?.description
        ?? "there is no flow; name an end with --from or --to")
  }

  /// A step of a run, for progress output.
  public enum Progress: Sendable {
    case lab(LabProgress)
    case comparing
    /// Working out every node's rules.
    case lowering
    /// Judging all flows, question by question.
    case judging(done: Int, of: Int, left: Duration?)
    /// Working out what differs between variants.
    case planning
    case expecting(stage: Int, of: Int)
  }

  /// Throws `LabFailure` if this machine can't run the lab, the rules can't be loaded, or the lab's own check fails.
  ///
  /// `expecting` are checked after the matrix, or instead of it if `asksMatrix` is false. `eachFlow` gets every flow
  /// of the
  /// matrix, sent or not.
  public func run(
    _ cluster: Cluster, expecting groups: [GroupToCheck] = [], version: String,
    eachFlow: ((JudgedFlow) -> Void)? = nil, progress: @escaping (Progress) -> Void = { _ in }
  ) throws -> RunReport {
    try withWorker(version: version, style: style.name) { environment, worker in
      try run(cluster, Topology(cluster), nil, groups, environment, worker, eachFlow, progress)
    }
  }

  /// The same for flows that are chosen already.
  public func run(
    _ selected: SelectedFlows, version: String, progress: @escaping (Progress) -> Void = { _ in }
  ) throws -> RunReport {
    try withWorker(version: version, style: style.name) { environment, worker in
      try run(selected.cluster, selected.topology, selected, [], environment, worker, nil, progress)
    }
  }

  /// `chosen`: the flows, if they are known already.
  private func run(
    _ cluster: Cluster, _ topology: Topology, _ chosen: SelectedFlows?, _ groups: [GroupToCheck],
    _ environment: LabEnvironment, _ worker: NamespaceWorker, _ eachFlow: ((JudgedFlow) -> Void)?,
    _ progress: @escaping (Progress) -> Void
  ) throws -> RunReport {
    let clock = ContinuousClock()
    let sctpObstacle = try ProbeSession.obstacle(to: .sctp, on: worker)
    var plan = ProbePlan.none
    if let chosen, sctpObstacle == nil || !chosen.plan.flows.contains(where: { $0.transport == .sctp }) {
      plan = chosen.plan
    }
    lazy var asked = AskedFlows(cluster, topology, only: selection)
    var isByClass = asksMatrix && plan.isEmpty && goesByClass(asked, cluster)
    // The number of flows is known only when they are made, which is quick if there are few.
    if isByClass, case .upTo(let count) = packets, !asked.exceeds(8 * count, cluster) {
      plan = ProbePlan(cluster, topology, only: selection, sctpObstacle: sctpObstacle)
      isByClass = plan.flows.count > count
    }
    if !isByClass {
      // Before anything is planned, which takes memory too. A whole matrix has at least a flow for each pair of pods.
      if !selection.namesAnEnd { try MemoryNeed.namespaces(cluster.nodes.count + cluster.pods.count).require() }
      if case .all = packets, asksMatrix, !selection.namesAnEnd, asked.exceeds(Self.mostFlowByFlow, cluster) {
        throw NothingToAsk(
          description:
            "--packets all: more than \(Self.mostFlowByFlow) flows; write --packets classes, or ask about some with "
            + "--from and --to")
      }
      if asksMatrix, !selection.namesAnEnd { try MemoryNeed.flows(cluster.pods.count * cluster.pods.count).require() }
    }
    progress(.lowering)
    if asksMatrix, !isByClass {
      if plan.isEmpty { plan = ProbePlan(cluster, topology, only: selection, sctpObstacle: sctpObstacle) }
      if selection.namesAnEnd, plan.isEmpty { throw nothingToAsk(in: cluster, topology) }
    }
    let pairs = chosen?.pairs ?? PairFlows(cluster, topology)
    var base = try lowered(
      cluster, topology, for: !isByClass && groups.isEmpty && selection.namesAnEnd ? plan : nil, pairs)
    var survey: SurveyResult?
    if isByClass {
      let begin = clock.now
      var judging = FlowSurvey(base, asked, sctpObstacle: sctpObstacle, eachFlow: eachFlow) {
        let gone = clock.now - begin
        progress(.judging(done: $0, of: $1, left: $0 == 0 ? nil : gone / $0 * ($1 - $0)))
      }
      judging.run()
      survey = judging.result
      plan = ProbePlan(endpoints: asked.endpoints, flows: judging.result.packets(limit))
    }
    if !groups.isEmpty { progress(.planning) }
    let whole = base
    // They are looked for flow by flow.
    let isSmall = groups.isEmpty || !AskedFlows(cluster, topology, only: .init()).exceeds(Self.mostCompared, cluster)
    let check = try ExpectationsCheck(groups, base: whole, sctpObstacle: sctpObstacle, listsDifferences: isSmall) {
      try LabPlan($0, style, versionStamp: versionStamp)
    }
    let journeys = plan.flows.map { whole.enforced.journey(of: $0) }
    let unsent = survey == nil ? [] : UnsentPackets.all(plan.flows, journeys, whole.enforced)
    if survey != nil || selection.namesAnEnd {
      base = base.holding(Machines(plan.flows, journeys, in: whole, pairs))
    }
    let asksSCTP = check.asksSCTP || plan.flows.contains { $0.transport == .sctp }
    var lab = ReusableLab(transports: [.tcp, .udp] + (asksSCTP ? [.sctp] : []), worker: worker) { progress(.lab($0)) }
    var observations: [Observation] = []
    var probe = Duration.zero
    if asksMatrix {
      try lab.prepare(base)
      probe = try clock.measure { observations = try lab.observe(plan.flows, patiently: Self.patience) }
      progress(.comparing)
    }
    let comparisons =
      zip(plan.flows, zip(journeys, observations)).map { flow, answer in
        whole.comparer.compare(flow, answer.0, answer.1)
      }.filter { $0.finding != .notChosen }
      + plan.unasked.map { whole.comparer.compare($0) }
    if survey == nil, let eachFlow {
      for comparison in comparisons {
        eachFlow(JudgedFlow(comparison, from: comparison.flow.source, to: comparison.flow.destination))
      }
    }
    let isFew = asksMatrix && survey == nil && selection.namesAnEnd && comparisons.count <= RunReport.mostInFull
    let kinds = isFew || chosen != nil ? kinds(of: comparisons, whole) : []
    var explained = zip(kinds, try whole.explained(kinds.map(\.first), on: &lab)).map { kind, explained in
      var explained = explained
      explained.alike = kind.others
      return explained
    }
    var adviceLab: ReusableLab? = lab
    explained = try advised(explained, cluster, pairs, on: &adviceLab)
    if let adviceLab { lab = adviceLab }
    let results = try check.run(on: &lab, strict: strict) { progress(.expecting(stage: $0, of: $1)) }
    var report = RunReport(
      environment: environment, cluster: cluster, plan: plan, comparisons: comparisons, survey: survey, unsent: unsent,
      styleWarnings: whole.enforced.findings.map(\.description) + whole.enforced.serviceFindings.map(\.description),
      explained: explained, notInLab: topology.unplaced, strict: strict,
      timings: RunReport.Timings(build: lab.buildTime, load: lab.loadTime, probe: probe), expectations: results)
    report.together = advice?.together(explained, cluster)
    return report
  }

  /// The rules of all nodes, or of those that the plan's flows pass.
  func lowered(
    _ cluster: Cluster, _ topology: Topology, for plan: ProbePlan?, _ pairs: PairFlows
  ) throws -> LabPlan {
    guard let plan else { return try LabPlan(cluster, style, versionStamp: versionStamp, in: topology) }
    let flows = plan.flows + plan.unasked.map(\.flow)
    let nodes = Machines(flows, in: topology, pairs).nodes
    let part = cluster.reached(
      from: flows.flatMap { [$0.sourceAddress, $0.destinationAddress] }, narrowsPolicies: style.needsOwnPoliciesOnly)
    let few = try LabPlan(cluster, style, versionStamp: versionStamp, in: topology, rulesOf: part, onNodes: nodes)
    let isEnough = plan.flows.allSatisfy { few.enforced.journey(of: $0).hops.allSatisfy { nodes.contains($0.node) } }
    return isEnough ? few : try LabPlan(cluster, style, versionStamp: versionStamp, in: topology)
  }

  /// How long to wait for a packet that the rules let through.
  static let patience: [Duration] = [.milliseconds(1200), .milliseconds(2500)]

  /// Flows up to which each can be judged and sent by itself.
  private static let mostFlowByFlow = 3_000_000

  /// Flows of a cluster up to which variants are compared with it.
  private static let mostCompared = 500_000

  private var limit: Int? { if case .atMost(let count) = packets { count } else { nil } }

  private func goesByClass(_ asked: AskedFlows, _ cluster: Cluster) -> Bool {
    switch packets {
    case .all: false
    case .classes, .atMost: selection.sourceAddress == nil && selection.destinationAddress == nil
    case .upTo(let count):
      selection.sourceAddress == nil && selection.destinationAddress == nil && asked.exceeds(count, cluster)
    }
  }
}
