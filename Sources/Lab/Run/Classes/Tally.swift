/// How many flows there are of each kind.
public struct Tally: Hashable, Sendable {
  public var allowed = 0
  public var denied = 0
  /// Those of them that differ from the specification as the style's deviations predict.
  public var deviating = 0
  /// Those that differ without a deviation that predicts it, and those that a deviation wrongly predicts to differ.
  public var unexplained = 0
  /// Without a verdict: no route, or something is not modelled.
  public var unanswered = 0

  public init() {}

  public var total: Int { allowed + denied + unanswered }

  static func += (left: inout Tally, right: Tally) {
    left.allowed += right.allowed
    left.denied += right.denied
    left.deviating += right.deviating
    left.unexplained += right.unexplained
    left.unanswered += right.unanswered
  }
}
