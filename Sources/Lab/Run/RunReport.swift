public import EngineComparison
public import NetpolModel
public import StandingLab
public import Verdicts

/// All that a run found out: one value, from which text and JSON are made.
public struct RunReport: Sendable {
  public let environment: LabEnvironment
  public let cluster: Cluster
  public let plan: ProbePlan
  /// One for each flow of the plan, then one for each that was not probed but could be evaluated.
  public let comparisons: [Comparison]
  /// What the style does with a policy or pod, and kube-proxy with a service, that its author may not expect. No failure:
  /// the exit code doesn't tell.
  public let styleWarnings: [String]
  /// Pods that got no place, and why.
  public let notInLab: [(pod: PodID, why: String)]
  public let strict: Bool
  public let timings: Timings
  /// The groups of the Expectations documents that were checked, in their order.
  public let expectations: [GroupResult]
  /// What whoever read the manifests said of them: how they were completed, and what may not be as their author thinks.
  /// The text report leaves them out, since they are on stderr already.
  public var notes: [String] = []
  public var warnings: [String] = []
  /// JSON has the path of every flow, not only of those that it tells in full.
  public var tellsAllPaths = false
  /// Whoever asks for some claims is told of all their flows, whatever their number.
  public var wasAskedForClaims = false

  public init(
    environment: LabEnvironment, cluster: Cluster, plan: ProbePlan, comparisons: [Comparison],
    styleWarnings: [String] = [], notInLab: [(pod: PodID, why: String)] = [], strict: Bool = false, timings: Timings,
    expectations: [GroupResult] = []
  ) {
    self.environment = environment
    self.cluster = cluster
    self.plan = plan
    self.comparisons = comparisons
    self.styleWarnings = styleWarnings
    self.notInLab = notInLab
    self.strict = strict
    self.timings = timings
    self.expectations = expectations
  }

  public struct Timings: Sendable {
    public let build: Duration
    public let load: Duration
    public let probe: Duration
    public init(build: Duration, load: Duration, probe: Duration) {
      self.build = build
      self.load = load
      self.probe = probe
    }
  }

  public var failures: [Comparison] { comparisons.filter { $0.isFailure(strict: strict) } }
  public var isAsExpected: Bool { failures.isEmpty && expectations.allSatisfy(\.isAsExpected) }

  public var tellsExpectationsInFull: Bool {
    wasAskedForClaims || expectations.reduce(0) { $0 + $1.flows.count } <= 150
  }
  /// So few flows were asked about that each is told with its reasons and rules.
  public var isToldInFull: Bool { plan.flows.count + plan.unasked.count <= 8 }
  /// Expectations alone were checked otherwise.
  public var hasMatrix: Bool { !plan.endpoints.isEmpty }
}
