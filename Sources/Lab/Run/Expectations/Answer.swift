internal import Enforcement
public import EngineComparison
public import Lowering
public import NetpolModel
internal import Path

/// What the engines said of one flow that somebody expects something of.
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

  public let comparison: Comparison
  public let outcome: Outcome

  public init(_ comparison: Comparison) {
    self.comparison = comparison
    outcome = Outcome(comparison)
  }

  public var flow: Flow { comparison.flow }

  public var observed: Verdict? {
    switch outcome {
    case .delivered: .allow
    case .rejected, .dropped, .noRoute: .deny
    case .undecided: nil
    }
  }

  /// Known ones, by which the verdict is not the specification's.
  public var deviations: [Deviation] {
    if case .deviation(let deviations) = comparison.finding { deviations } else { [] }
  }
}

extension Answer.Outcome {
  fileprivate init(_ comparison: Comparison) {
    self =
      switch comparison.outcome {
      case .delivered: .delivered
      case .rejected: .rejected
      case .dropped: .dropped
      case .noRoute: .noRoute(comparison.journey.end.noRoute ?? PacketOutcome.noRoute.text)
      case .undecided:
        if case .unusable(let why)? = comparison.observation {
          .undecided(why)
        } else {
          .undecided("no packet was sent")
        }
      }
  }

  /// Without the reason.
  public var kind: PacketOutcome {
    switch self {
    case .delivered: .delivered
    case .rejected: .rejected
    case .dropped: .dropped
    case .noRoute: .noRoute
    case .undecided: .undecided
    }
  }
}
