internal import Algorithms
internal import Dispatch
internal import Enforcement
internal import EngineComparison
public import NetpolModel
internal import Path
internal import StandingLab
internal import Synchronization
internal import Verdicts

/// The flows whose verdicts differ between two clusters.
public struct Difference: Sendable {
  /// The maximum number of changes that packets are sent for.
  static let askedAtMost = 2000

  public struct Change: Sendable {
    public let flow: Flow
    /// The same flow in the other cluster, where the sender's address may be different.
    public let flowBefore: Flow
    /// The verdict of the other cluster's rules, and of the rules of the group's cluster.
    public let before: Verdict
    public let after: Verdict
    /// Verdicts by packets. `nil` if none were sent.
    public var answerBefore: Answer?
    public var answerAfter: Answer?
  }

  /// The group that this one is compared with. `nil` for the cluster of the manifests.
  public let reference: String?
  public var changes: [Change]
  /// Number of flows that exist in both clusters.
  public let compared: Int
  /// The ports that each destination was compared on.
  public let ports: [Endpoint: Set<Flow.Question>]

  public var opened: [Change] { changes.filter { $0.after == .allow } }
  public var closed: [Change] { changes.filter { $0.after == .deny } }
  /// Number of changes that no packets were sent for.
  public var unasked: Int { changes.filter { $0.answerBefore == nil || $0.answerAfter == nil }.count }

  func failures(strict: Bool) -> [Answer] {
    changes.flatMap { [$0.answerBefore, $0.answerAfter] }.compacted().filter {
      $0.comparison.isFailure(strict: strict)
    }
  }
}

extension Difference {
  /// Compares the evaluator's verdicts. A flow that has no route in one of the clusters is not a change, for example
  /// one to a pod that this cluster doesn't have.
  init(reference: String?, of old: MatrixVerdicts, and new: MatrixVerdicts) {
    self.reference = reference
    var changes: [Change] = []
    var compared = 0
    var ports: [Endpoint: Set<Flow.Question>] = [:]
    for asked in (new.flows + old.flows).lazy.uniqued(on: Ends.init) {
      guard let flow = new.flow(like: asked), let flowBefore = old.flow(like: asked),
        let before = old.verdict(flowBefore), let after = new.verdict(flow)
      else { continue }
      compared += 1
      ports[flow.destination, default: []].insert(flow.question)
      if before != after { changes.append(Change(flow: flow, flowBefore: flowBefore, before: before, after: after)) }
    }
    self.changes = changes
    self.compared = compared
    self.ports = ports
  }
}

/// Identifies the same flow in different clusters.
private struct Ends: Hashable {
  let source: Endpoint
  let destination: Endpoint
  let question: Flow.Question
  let family: IPFamily
  /// The endpoint of the service. Its number may differ.
  let chosen: String?

  init(_ flow: Flow) {
    source = flow.source
    destination = flow.destination
    question = flow.question
    family = flow.family
    chosen = flow.chosen?.description
  }
}

/// The verdicts of a cluster's rules on all flows of its plan.
struct MatrixVerdicts: Sendable {
  let flows: [Flow]
  private let byEnds: [Ends: Int]
  /// One for each flow.
  private let verdicts: [Verdict?]
  private let plan: LabPlan

  /// Shares the flows of `other` if they are the same, as they mostly are for variants.
  private init(_ plan: LabPlan, _ flows: [Flow], _ other: MatrixVerdicts?) {
    self.plan = plan
    if let other, other.flows == flows {
      (self.flows, byEnds) = (other.flows, other.byEnds)
    } else {
      self.flows = flows
      byEnds = Dictionary(flows.enumerated().map { (Ends($1), $0) }) { first, _ in first }
    }
    verdicts = plan.enforced.verdicts(of: self.flows)
  }

  /// Returns the verdicts of several clusters by stage number. Uses all cores.
  static func all(_ plans: [(stage: Int, plan: LabPlan)], sctpObstacle: String?) -> [Int: MatrixVerdicts] {
    guard let first = plans.first else { return [:] }
    let flows = { @Sendable (plan: LabPlan) in
      ProbePlan(plan.cluster, plan.topology, sctpObstacle: sctpObstacle).flows
    }
    let shared = MatrixVerdicts(first.plan, flows(first.plan), nil)
    let rest = Array(plans.dropFirst())
    let found = Mutex<[Int: MatrixVerdicts]>([first.stage: shared])
    DispatchQueue.concurrentPerform(iterations: rest.count) { index in
      let (stage, plan) = rest[index]
      let matrix = MatrixVerdicts(plan, flows(plan), shared)
      found.withLock { $0[stage] = matrix }
    }
    return found.withLock { $0 }
  }

  /// Returns the flow between the same ends, or `nil` if one of them is not in this cluster.
  func flow(like other: Flow) -> Flow? {
    // Another choice of endpoints is another question.
    if other.chosen != nil { return byEnds[Ends(other)].map { flows[$0] } }
    return byEnds[Ends(other)].map { flows[$0] }
      ?? plan.topology.flow(
        from: other.source, to: other.destination, other.question, other.family)
  }

  /// Returns `nil` if there is no route.
  func verdict(_ flow: Flow) -> Verdict? {
    if let index = byEnds[Ends(flow)], flows[index] == flow { return verdicts[index] }
    return plan.enforced.verdict(of: flow)
  }
}
