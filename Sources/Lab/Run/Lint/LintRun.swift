internal import Enforcement
internal import EngineComparison
internal import Kernel
public import Lint
public import Lowering
public import NetpolModel
internal import Network
internal import Path
internal import PolicyDiff
internal import StandingLab
internal import Verdicts

/// What packets say about a finding of lint.
public enum LintProof: Sendable {
  /// A flow as things are, and with the finding's changes.
  case changed(before: Answer, after: Answer)
  /// A flow as things are.
  case shown(Answer)
  /// Why no packet can show it.
  case notSent(String)

  /// Whether the packets contradict what the finding says, or the engines each other.
  public var isFinding: Bool {
    switch self {
    case .changed(let before, let after):
      before.comparison.isFailure(strict: false) || after.comparison.isFailure(strict: false)
    case .shown(let answer): answer.comparison.isFailure(strict: false)
    case .notSent: false
    }
  }
}

/// Sends the packets that show the findings of lint.
public struct LintRun: Sendable {
  public var style: EnforcementStyle
  /// kube-router's version stamp, which is part of its chain names.
  public var versionStamp = "1"
  /// Rows of a difference that are tried until one can be sent.
  private static let triedRows = 12

  public init(style: EnforcementStyle) { self.style = style }

  private enum Plan {
    case changed(before: Flow, after: Flow, LabPlan)
    case shown(Flow)
    case none(String)
  }

  /// One proof for each finding, in their order. Throws `LabFailure` if this machine can't run the lab.
  public func prove(
    _ findings: [LintFinding], in cluster: Cluster, version: String,
    progress: @escaping (ClusterRun.Progress) -> Void
  ) throws -> [LintProof] {
    if findings.isEmpty { return [] }
    return try withWorker(version: version, style: style.name) { _, worker in
      progress(.lowering)
      let obstacle = try ProbeSession.obstacle(to: .sctp, on: worker)
      let base = try LabPlan(cluster, style, versionStamp: versionStamp)
      let plans = try findings.map { try plan($0, base, sctpObstacle: obstacle) }
      return try send(plans, base, worker, progress)
    }
  }

  private func plan(_ finding: LintFinding, _ base: LabPlan, sctpObstacle: String?) throws -> Plan {
    if !finding.fix.isEmpty {
      let changed = base.cluster.applying(finding.fix)
      guard let clusters = ComparedClusters(old: base.cluster, new: changed) else { return .none("there is no pod") }
      let difference = PolicyDifference(clusters)
      if difference.rows.isEmpty {
        return .none("no flow between what the input has changes its verdict with the changes")
      }
      let new = try LabPlan(changed, style, versionStamp: versionStamp)
      var choice = DiffFlowChoice(difference, old: base, new: new, sctpObstacle: sctpObstacle)
      var why = ""
      for row in difference.rows.prefix(Self.triedRows) {
        switch choice.flows(of: row) {
        case .flows(let before, let after): return .changed(before: before, after: after, new)
        case .noFlow(let reason): if why.isEmpty { why = reason }
        }
      }
      return .none(why)
    }
    guard let witness = finding.witness else { return .none(finding.code.obstacle) }
    let selection = ProbePlan.Selection(source: witness.source, destination: witness.destination)
    let flows = ProbePlan(base.cluster, base.topology, only: selection, sctpObstacle: sctpObstacle).flows
    let flow = flows.first { flow in
      flow.question != .echo && base.enforced.journey(of: flow).verdict == witness.verdict
    }
    return flow.map(Plan.shown) ?? .none("no packet between \(witness.source) and \(witness.destination) shows it")
  }

  private func send(
    _ plans: [Plan], _ base: LabPlan, _ worker: NamespaceWorker, _ progress: @escaping (ClusterRun.Progress) -> Void
  ) throws -> [LintProof] {
    var (nodes, pods) = (Set<String>(), Set<PodID>())
    let pairs = PairFlows(base.cluster, base.topology)
    let add = { (flows: [Flow], plan: LabPlan) in
      let machines = Machines(flows, flows.map { plan.enforced.journey(of: $0) }, in: plan, pairs)
      nodes.formUnion(machines.nodes)
      pods.formUnion(machines.pods)
    }
    let before = plans.map { plan -> Flow? in
      switch plan {
      case .changed(let before, _, _): before
      case .shown(let flow): flow
      case .none: nil
      }
    }
    add(before.compactMap(\.self), base)
    for case .changed(_, let after, let plan) in plans { add([after], plan) }
    let asked = before.compactMap(\.self)
    if asked.isEmpty { return plans.map { if case .none(let why) = $0 { .notSent(why) } else { .notSent("") } } }
    let asksSCTP = asked.contains { $0.transport == .sctp }
    var lab = ReusableLab(transports: [.tcp, .udp] + (asksSCTP ? [.sctp] : []), worker: worker) { progress(.lab($0)) }
    var answers = try base.answers(to: asked, nodes, pods, on: &lab).makeIterator()
    // One after the other, since each has rules of its own.
    let first = before.map { $0 == nil ? nil : answers.next() }
    return try zip(plans, first).map { plan, before in
      switch plan {
      case .none(let why): return .notSent(why)
      case .shown: return before.map { .shown($0) } ?? .notSent("no answer")
      case .changed(_, let flow, let changed):
        let after = try changed.answers(to: [flow], nodes, pods, on: &lab).first
        guard let before, let after else { return .notSent("no answer") }
        return .changed(before: before, after: after)
      }
    }
  }
}

extension LabPlan {
  /// What packets and engines say of flows, in a lab that holds some nodes and pods.
  func answers(
    to flows: [Flow], _ nodes: Set<String>, _ pods: Set<PodID>, on lab: inout ReusableLab
  ) throws -> [Answer] {
    try lab.prepare(holding(nodes: nodes, pods: pods))
    let observations = try lab.observe(flows, patiently: ClusterRun.patience)
    return zip(flows, observations).map { flow, observation in
      let comparison = comparer.compare(flow, enforced.journey(of: flow), observation)
      return Answer(comparison, codes: Set(comparison.codes))
    }
  }
}

extension Code {
  /// Why no packet can show what a finding says, if no two ends do.
  fileprivate var obstacle: String {
    switch self {
    case .lintNodePort: "no host outside the cluster is in the input (externalHosts)"
    case .lintJobPeer: "netpol-lab lag measures how long it takes"
    case .lintWholeIPv6: "nobody has an address that is missing"
    case .lintSelectsNoPod, .lintPeerSelectsNoPod: "nobody is selected, so there is nobody to send to or from"
    case .missUnknownName: "no port has the name, so there is none to send to"
    default: "only its author knows which flow was meant"
    }
  }
}
