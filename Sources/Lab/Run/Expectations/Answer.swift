internal import Enforcement
public import EngineComparison
public import Lowering
public import NetpolModel
internal import Path

/// What the engines say about one flow that has an expectation.
public struct Answer: Sendable {
  public let comparison: Comparison
  /// Those of all reasons, and of what the nearest rules lack.
  public let codes: Set<Code>

  public init(_ comparison: Comparison, codes: Set<Code>) {
    self.comparison = comparison
    self.codes = codes
  }

  public var outcome: PacketOutcome { comparison.outcome }

  /// Why there is no route, or why the kernel's answer is unusable. `nil` for every other outcome.
  public var why: String? {
    switch outcome {
    case .delivered, .rejected, .dropped: return nil
    case .noRoute: return comparison.journey.end.noRoute.map { "\($0)" }
    case .undecided:
      if case .unusable(let why)? = comparison.observation { return why }
      return "no packet was sent"
    }
  }

  public var flow: Flow { comparison.flow }

  public var observed: Verdict? {
    switch outcome {
    case .delivered: .allow
    case .rejected, .dropped, .noRoute: .deny
    case .undecided: nil
    }
  }

  /// The known deviations that make the verdict differ from the specification's.
  public var deviations: [Deviation] {
    if case .deviation(let deviations) = comparison.finding { deviations } else { [] }
  }
}
