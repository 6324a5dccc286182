public import Comparison
internal import Evaluator
public import Kernel
public import Lowering
public import NetpolModel
internal import Path

/// What the engines said of one inquiry.
public struct Answer: Sendable {
  public enum Outcome: Hashable, Sendable {
    case delivered
    /// An ICMP error or a reset came back.
    case rejected
    /// Nothing came back.
    case dropped
    case noRoute(String)
    /// The kernel's answer proves nothing.
    case undecided(String)
  }

  public let inquiry: Inquiry
  public let outcome: Outcome
  public let evaluated: Verdict?
  /// Nil where no packet was sent: there is no way.
  public let observation: Observation?
  /// Nil for a ping: the specification says nothing of ICMP.
  public let comparison: Comparison?
  /// Those that decided.
  let rules: [DecidingRule]

  init(_ inquiry: Inquiry, _ walk: EvaluatedWalk, _ observation: Observation?, _ plan: PlannedLab) {
    self.inquiry = inquiry
    self.observation = observation
    evaluated = walk.verdict
    outcome = Outcome(observation, walk)
    rules = plan.enforced.decidingRules(walk, inquiry.family)
    switch inquiry {
    case .flow(let flow):
      var answer = observation?.answer ?? .notAsked
      // A packet that nobody could get proves what it should.
      if walk.verdict == nil, case .unusable = answer { answer = .notAsked }
      comparison = plan.comparer.compare(flow, kernel: answer)
    case .ping: comparison = nil
    }
  }

  public var observed: Verdict? {
    switch outcome {
    case .delivered: .allow
    case .rejected, .dropped, .noRoute: .deny
    case .undecided: nil
    }
  }

  /// Known ones, by which the verdict is not the specification's.
  public var deviations: [Deviation] {
    if case .deviation(let deviations)? = comparison?.finding { deviations } else { [] }
  }

  /// Whether the engines disagree, apart from any expectation.
  func isFailure(strict: Bool) -> Bool {
    if let comparison { return comparison.isFailure(strict: strict) }
    return observed == nil || observed != (evaluated ?? .deny)
  }
}

extension Answer.Outcome {
  init(_ observation: Observation?, _ walk: EvaluatedWalk) {
    let noRoute = walk.walk.end.noRoute
    switch (observation, noRoute) {
    case (.delivered, _): self = .delivered
    // The sender's own kernel says the same of a rejected and a dropped packet.
    case (.refused(.local), nil): self = walk.stop == .drop ? .dropped : .rejected
    case (.refused, _): self = .rejected
    case (_, let why?): self = .noRoute(why)
    case (.silent, nil): self = .dropped
    case (.unusable(let why), nil): self = .undecided(why)
    case (nil, nil): self = .undecided("no packet was sent")
    }
  }
}
