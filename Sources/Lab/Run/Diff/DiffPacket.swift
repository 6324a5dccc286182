internal import EngineComparison

/// One flow of a row of a policy difference, sent under the old and under the new policies.
public enum DiffPacket: Sendable {
  case sent(old: Answer, new: Answer)
  /// Why no packet of the row can be sent.
  case notSent(String)

  /// Whether a packet contradicts the specification in a way that no known deviation predicts.
  public var isFinding: Bool {
    switch self {
    case .sent(let old, let new): [old, new].contains { $0.comparison.isFailure(strict: false) }
    case .notSent: false
    }
  }
}
