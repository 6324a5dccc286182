public import Lowering
public import NetpolModel
public import Oracle
internal import Path

/// What three engines said of one flow, and whether that is as it should be.
public struct Comparison: Hashable, Sendable {
  public enum Finding: Hashable, Sendable {
    /// All agree.
    case agreement
    /// The style differs from the specification where it is known to.
    case deviation([Deviation])
    /// The kernel did not do what the evaluator computed from the same rules.
    case kernelDisagrees
    /// The style differs from the specification, and no deviation says so.
    case unexplained
    /// A deviation says that the style differs here, and it does not.
    case deviationMissing([Deviation])
    /// The kernel's answer is unusable: it proves nothing.
    case undecided(String)
    /// No packet can be sent: there is no way from one end to the other.
    case noRoute(String)
  }

  public let flow: Flow
  public let specified: Judgement
  public let evaluated: Verdict?
  /// Nil where the kernel was not asked or gave no usable answer.
  public let observed: Verdict?
  public let finding: Finding

  public init(flow: Flow, specified: Judgement, evaluated: Verdict?, observed: Verdict?, finding: Finding) {
    self.flow = flow
    self.specified = specified
    self.evaluated = evaluated
    self.observed = observed
    self.finding = finding
  }

  /// Whether somebody should look at it. With `strict`, a labelled deviation counts too.
  public func isFailure(strict: Bool) -> Bool {
    switch finding {
    case .agreement, .noRoute: false
    case .deviation: strict
    case .kernelDisagrees, .unexplained, .deviationMissing, .undecided: true
    }
  }

  /// The verdict to show: the kernel's where it was asked.
  public var verdict: Verdict? { observed ?? evaluated }
}

/// What the kernel was seen to do with a flow's first packet.
public enum KernelAnswer: Hashable, Sendable {
  case notAsked
  case verdict(Verdict)
  case unusable(String)
}

/// Compares engines flow by flow, for one cluster and style.
public struct Comparer: Sendable {
  public let oracle: Oracle
  public let enforced: EnforcedCluster
  private let reading: Reading

  public init(_ cluster: Cluster, _ enforced: EnforcedCluster) {
    oracle = Oracle(cluster)
    self.enforced = enforced
    reading = Reading(cluster, oracle, enforced.style.traits)
  }

  public func compare(_ flow: Flow, kernel: KernelAnswer) -> Comparison {
    compare(flow, walk: enforced.walk(flow), kernel: kernel)
  }

  /// The same for whoever has taken the flow through the rules already.
  public func compare(_ flow: Flow, walk: EvaluatedWalk, kernel: KernelAnswer) -> Comparison {
    let specified = oracle.judge(flow)
    let evaluated = walk.verdict
    let (observed, finding) = finding(flow, specified.verdict, walk.walk.end.noRoute, evaluated, kernel)
    return Comparison(
      flow: flow, specified: specified, evaluated: evaluated, observed: observed, finding: finding)
  }

  private func finding(
    _ flow: Flow, _ specified: Verdict, _ noRoute: String?, _ evaluated: Verdict?, _ kernel: KernelAnswer
  ) -> (Verdict?, Comparison.Finding) {
    let observed: Verdict?
    switch kernel {
    case .notAsked: observed = nil
    case .verdict(let verdict): observed = verdict
    // What the path foretells is no riddle: a reply that can't come back, an address that nobody has.
    case .unusable(let why): return (nil, evaluated == nil ? .noRoute(noRoute ?? why) : .undecided(why))
    }
    guard let evaluated else {
      return (observed, observed == .allow ? .kernelDisagrees : .noRoute(noRoute ?? "no way"))
    }
    if let observed, observed != evaluated { return (observed, .kernelDisagrees) }
    let explanation = reading.explanation(of: flow, specified: specified)
    let differs = evaluated != specified
    return switch (differs, explanation.isEmpty) {
    case (false, true): (observed, .agreement)
    case (true, false): (observed, .deviation(explanation))
    case (true, true): (observed, .unexplained)
    case (false, false): (observed, .deviationMissing(explanation))
    }
  }
}
