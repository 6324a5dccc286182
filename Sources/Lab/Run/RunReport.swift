public import Comparison
public import Kernel
internal import Lowering
public import NetpolModel
internal import Path
internal import ServiceProxy

/// All that a run found out: one value, from which text and JSON are made.
public struct RunReport: Sendable {
  public let environment: LabEnvironment
  public let cluster: Cluster
  public let plan: ProbePlan
  public let enforced: EnforcedCluster
  /// One for each flow of the plan, then one for each that was not probed but could be evaluated.
  public let comparisons: [Comparison]
  /// What the kernel did with the flows of the plan, in their order.
  public let observations: [Observation]
  public let strict: Bool
  public let timings: Timings
  /// The groups of the Expectations documents that were checked, in their order.
  public var expectations: [GroupResult] = []
  /// What whoever read the manifests said of them: how they were completed, and what may not be as their author thinks.
  /// The text report leaves them out, since they are on stderr already.
  public var notes: [String] = []
  public var warnings: [String] = []

  public struct Timings: Sendable {
    public let build: Duration
    public let load: Duration
    public let probe: Duration
  }

  public var failures: [Comparison] { comparisons.filter { $0.isFailure(strict: strict) } }
  public var isAsExpected: Bool { failures.isEmpty && expectations.allSatisfy(\.isAsExpected) }
  /// What the style does with a policy or pod, and kube-proxy with a service, that its author may not expect. No failure:
  /// the exit code doesn't tell.
  public var styleWarnings: [String] {
    enforced.findings.map(\.description) + enforced.serviceFindings.map(\.description)
  }
  /// Pods that got no place, and why.
  public var notInLab: [(pod: PodID, why: String)] { enforced.topology.left }

  /// JSON has the path of every flow, not only of those that it tells in full.
  public var tellsAllPaths = false
  /// Whoever asks for some claims is told of all their flows, whatever their number.
  public var wasAskedForClaims = false
  var tellsExpectationsInFull: Bool { wasAskedForClaims || expectations.reduce(0) { $0 + $1.flows.count } <= 150 }

  /// So few flows were asked about that each is told with its reasons and rules.
  var isToldInFull: Bool { plan.flows.count + plan.unasked.count <= 8 }
  /// Expectations alone were checked otherwise.
  var hasMatrix: Bool { !plan.endpoints.isEmpty }

  func observation(of flow: Flow) -> Observation? {
    plan.flows.firstIndex(of: flow).flatMap { $0 < observations.count ? observations[$0] : nil }
  }
}
