public import EngineComparison
public import NetpolModel
public import Path
public import StandingLab
public import Verdicts

/// Everything that a run found. Text and JSON are made from it.
public struct RunReport: Sendable {
  public let environment: LabEnvironment
  public let cluster: Cluster
  public let plan: ProbePlan
  /// One for each flow of the plan, then one for each flow that was not probed but could be evaluated.
  public let comparisons: [Comparison]
  /// What the engines say about all flows, if packets were sent for their classes only. `nil`: `comparisons` are all.
  public let survey: SurveyResult?
  /// Of a run by class: packets that only the evaluator judged.
  public let unsent: [UnsentPackets]
  /// The comparisons with everything that explains them, if the user asked about few flows. Otherwise empty.
  public let explained: [ExplainedFlow]
  /// Changes for all refused flows together. `nil` if nobody asked, or if there is one flow.
  public var together: Together?
  /// The texts of the input, to quote from.
  public var lines = SourceLines()
  /// What the style does with a policy or pod, or kube-proxy with a service, that its author may not expect. These are
  /// not failures: the exit code ignores them.
  public let styleWarnings: [String]
  /// Pods that are not in the lab, and why.
  public let notInLab: [(pod: PodID, why: Topology.Absence)]
  public let strict: Bool
  public let timings: Timings
  /// The results of the checked groups of the Expectations documents, in their order.
  public let expectations: [GroupResult]
  /// Messages from reading the manifests: how they were completed (`notes`), and what may not mean what its author
  /// thinks (`warnings`). The text report leaves them out because they are already on stderr.
  public var notes: [String] = []
  public var warnings: [String] = []
  /// Which part of the grid is shown.
  public var view = View()
  /// Whether JSON has the path of every flow, not only of those that it shows in full.
  public var tellsAllPaths = false
  /// Whether the user asked for certain claims. All their flows are then shown, however many there are.
  public var wasAskedForClaims = false

  public init(
    environment: LabEnvironment, cluster: Cluster, plan: ProbePlan, comparisons: [Comparison],
    survey: SurveyResult? = nil, unsent: [UnsentPackets] = [], styleWarnings: [String] = [],
    explained: [ExplainedFlow] = [], notInLab: [(pod: PodID, why: Topology.Absence)] = [],
    strict: Bool = false,
    timings: Timings, expectations: [GroupResult] = []
  ) {
    self.environment = environment
    self.cluster = cluster
    self.plan = plan
    self.comparisons = comparisons
    self.survey = survey
    self.unsent = unsent
    self.styleWarnings = styleWarnings
    self.explained = explained
    self.notInLab = notInLab
    self.strict = strict
    self.timings = timings
    self.expectations = expectations
  }

  /// Which part of a grid of workloads is shown. `nil`: everything.
  public struct View: Sendable {
    public var namespace: String?
    /// The name of a workload: only its row and its column.
    public var focus: String?
    /// Every workload, however many there are.
    public var isFull = false
    /// Whether the user asked for a part of the grid, or for all of it.
    public var isAsked: Bool { namespace != nil || focus != nil || isFull }
    public init() {}
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

  /// Flows with packets come first, then those that only the engines in user space judged.
  public var failures: [Comparison] {
    let sent = comparisons.filter { $0.isFailure(strict: strict) }
    let known = Set(sent.map(\.flow))
    return sent
      + (survey?.found ?? []).map(\.comparison).filter { $0.isFailure(strict: strict) && !known.contains($0.flow) }
  }
  /// How many flows disagree. `failures` has one for each kind only, if flows go by class.
  public var disagreementCount: Int {
    guard let survey else { return failures.count }
    let ofKernel = comparisons.count { one in
      switch one.finding {
      case .kernelDisagrees, .undecided: true
      case .agreement, .deviation, .unexplained, .deviationMissing, .noRoute, .notChosen, .notModelled: false
      }
    }
    return ofKernel + survey.tally.unexplained + (strict ? survey.tally.deviating : 0)
  }

  /// What flows between workloads do.
  public var grid: WorkloadGrid { survey?.grid ?? WorkloadGrid(cluster, endpoints: plan.endpoints, comparisons) }
  public var isAsExpected: Bool {
    failures.isEmpty && !explained.contains(where: \.disagrees) && expectations.allSatisfy(\.isAsExpected)
  }

  public var tellsExpectationsInFull: Bool {
    wasAskedForClaims || expectations.reduce(0) { $0 + $1.flows.count } <= 150
  }
  /// Whether there are so few flows that each is shown with its reasons and rules.
  public var isToldInFull: Bool { comparisons.count <= Self.mostInFull }
  public static let mostInFull = 8
  /// If false, only expectations were checked.
  public var hasMatrix: Bool { !plan.endpoints.isEmpty }
}
