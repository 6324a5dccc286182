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
  /// The most of them that packets are sent for.
  static let askedAtMost = 2000

  public struct Change: Sendable {
    public let flow: Flow
    /// The same in the other cluster: a sender's address may be another there.
    public let flowBefore: Flow
    /// What the rules of the other cluster say, and those of the group's.
    public let before: Verdict
    public let after: Verdict
    /// By packets, where they were sent.
    public var answerBefore: Answer?
    public var answerAfter: Answer?
  }

  /// The group that it is compared with; nil for the manifests' own cluster.
  public let reference: String?
  public var changes: [Change]
  /// How many flows both clusters have.
  public let compared: Int
  /// What each destination was compared on.
  public let ports: [Endpoint: Set<Flow.Question>]

  public var opened: [Change] { changes.filter { $0.after == .allow } }
  public var closed: [Change] { changes.filter { $0.after == .deny } }
  /// Changes that packets were not sent for.
  public var unasked: Int { changes.filter { $0.answerBefore == nil || $0.answerAfter == nil }.count }

  func failures(strict: Bool) -> [Answer] {
    changes.flatMap { [$0.answerBefore, $0.answerAfter] }.compacted().filter {
      $0.comparison.isFailure(strict: strict)
    }
  }
}

extension Difference {
  /// By the evaluator. What one of the clusters has no way for, as to a pod that it doesn't have, is no change.
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

/// By what a flow of one cluster is known in another.
private struct Ends: Hashable {
  let source: Endpoint
  let destination: Endpoint
  let question: Flow.Question
  let family: IPFamily

  init(_ flow: Flow) {
    source = flow.source
    destination = flow.destination
    question = flow.question
    family = flow.family
  }
}

/// What the rules of a cluster do with all flows of its plan.
struct MatrixVerdicts: Sendable {
  let flows: [Flow]
  private let byEnds: [Ends: Int]
  /// Of each flow.
  private let verdicts: [Verdict?]
  private let plan: LabPlan

  /// Variants mostly ask the same flows: those share them.
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

  /// Those of several clusters, on all cores.
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

  /// The flow between the same ends; nil where one of them is not in this cluster.
  func flow(like other: Flow) -> Flow? {
    byEnds[Ends(other)].map { flows[$0] }
      ?? plan.topology.flow(
        from: other.source, to: other.destination, other.question, other.family)
  }

  /// Nil where there is no way.
  func verdict(_ flow: Flow) -> Verdict? {
    if let index = byEnds[Ends(flow)], flows[index] == flow { return verdicts[index] }
    return plan.enforced.verdict(of: flow)
  }
}
