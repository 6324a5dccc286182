internal import Algorithms
public import Enforcement
public import Lowering
public import NetpolModel
public import Oracle
internal import Path

/// What three engines found for one flow, and whether that is as expected.
public struct Comparison: Hashable, Sendable {
  public enum Finding: Hashable, Sendable {
    /// All agree.
    case agreement
    /// The style differs from the specification in a known way.
    case deviation([Deviation])
    /// The kernel did not do what the evaluator computed from the same rules.
    case kernelDisagrees
    /// The style differs from the specification, and no deviation predicts it.
    case unexplained
    /// A deviation predicts that the style differs here, but it does not.
    case deviationMissing([Deviation])
    /// The kernel's answer is unusable, so it proves nothing.
    case undecided(String)
    /// No packet can be sent, because there is no route from one end to the other.
    case noRoute(NoRoute)
    /// The service's rules never send the flow to the endpoint that it asks about, and need not. It is no question.
    case notChosen
    /// Something decides the flow that is not modelled, so there is no verdict.
    case notModelled(Unmodelled)
  }

  public let flow: Flow
  /// `nil` for an echo request, which the specification does not cover.
  public let specified: Judgement?
  /// The flow's way through the rules in user space.
  public let journey: Journey
  /// What the kernel did. `nil` if no packet was sent.
  public let observation: Observation?
  public let finding: Finding

  public init(
    flow: Flow, specified: Judgement?, journey: Journey, observation: Observation?, finding: Finding
  ) {
    self.flow = flow
    self.specified = specified
    self.journey = journey
    self.observation = observation
    self.finding = finding
  }

  /// `nil` if no packet is sent that a rule could judge.
  public var evaluated: Verdict? { journey.verdict }
  /// `nil` if the kernel was not asked or gave no usable answer.
  public var observed: Verdict? { observation?.verdict }

  /// The codes of the specification's reasons, then of why there is no verdict. Each once.
  public var codes: [Code] {
    let own: Code? =
      switch finding {
      case .noRoute(let why): why.code
      case .notModelled(let why): why.code
      case .undecided: .undecided
      case .agreement, .deviation, .kernelDisagrees, .unexplained, .deviationMissing, .notChosen: nil
      }
    return Array(((specified?.because.map(\.code) ?? []) + [own].compactMap(\.self)).uniqued())
  }

  /// Whether a person should look at it. With `strict`, known deviations count too.
  public func isFailure(strict: Bool) -> Bool {
    switch finding {
    case .agreement, .noRoute, .notChosen, .notModelled: false
    case .deviation: strict
    case .kernelDisagrees, .unexplained, .deviationMissing, .undecided: true
    }
  }

  /// The verdict to show: the kernel's if it was asked.
  public var verdict: Verdict? { observed ?? evaluated }
}

/// Compares engines flow by flow, for one cluster and style.
public struct Comparer: Sendable {
  public let oracle: Oracle
  public let enforced: EnforcedCluster
  public let reading: DeviationModel

  public init(_ cluster: Cluster, _ enforced: EnforcedCluster) {
    self.init(enforced, DeviationModel(cluster, Oracle(cluster), enforced.style.traits))
  }

  /// The same with the model of the style's deviations.
  public init(_ enforced: EnforcedCluster, _ reading: DeviationModel) {
    oracle = reading.oracle
    self.enforced = enforced
    self.reading = reading
  }

  /// Returns one comparison for each flow. `observations` are in the order of the flows, `nil` if no packet was sent.
  public func compare(_ flows: [Flow], _ observations: [Observation?]) -> [Comparison] {
    zip(flows, observations).map { compare($0, $1) }
  }

  public func compare(_ flow: Flow, _ observation: Observation?) -> Comparison {
    compare(flow, enforced.journey(of: flow), observation)
  }

  /// The same for a flow whose journey is known already.
  public func compare(_ flow: Flow, _ journey: Journey, _ observation: Observation?) -> Comparison {
    let resolved = oracle.resolve(flow)
    let specified = flow.question == .echo ? nil : oracle.judge(resolved)
    return Comparison(
      flow: flow, specified: specified, journey: journey, observation: observation,
      finding: choiceFinding(flow, resolved, journey, observation)
        ?? finding(flow, resolved, specified?.verdict, journey, observation))
  }

  /// Compares which endpoint the flow goes to. `nil` if it is the one that the flow asks about.
  private func choiceFinding(
    _ flow: Flow, _ resolved: ResolvedFlow, _ journey: Journey, _ observation: Observation?
  ) -> Comparison.Finding? {
    guard let chosen = flow.chosen else { return nil }
    let end = resolved.lastPart
    let target = journey.translatedTo
    // If the specification refuses the flow, the question about the endpoint that the rules do choose shows the
    // difference.
    if let target, !chosen.isAt(target.address, port: target.port) {
      return end.isNotChosen || end.isRefused ? .notChosen : .unexplained
    }
    // A packet that is stopped before it is translated has the same fate whatever the service chooses.
    if end.isNotChosen { return target == nil ? .notChosen : .unexplained }
    if case .elsewhere? = observation { return .kernelDisagrees }
    return nil
  }

  private func finding(
    _ flow: Flow, _ resolved: ResolvedFlow, _ specified: Verdict?, _ journey: Journey, _ observation: Observation?
  ) -> Comparison.Finding {
    let end = journey.end
    // An unusable observation needs no explanation if the path predicts it: a reply that can't return, an address that
    // no machine has.
    if case .unusable(let why)? = observation, end.noRoute == nil, !journey.stopsAnswer { return .undecided(why) }
    let observed = observation?.verdict
    guard let evaluated = end.verdict else {
      return observed == .allow ? .kernelDisagrees : end.noRoute.map { .noRoute($0) } ?? .kernelDisagrees
    }
    if let observed, observed != evaluated { return .kernelDisagrees }
    guard let specified else { return .agreement }
    let explanation = reading.explanation(of: flow, resolved, specified: specified)
    return switch (evaluated != specified, explanation.isEmpty) {
    case (false, true): .agreement
    case (true, false): .deviation(explanation)
    case (true, true): .unexplained
    case (false, false): .deviationMissing(explanation)
    }
  }
}
