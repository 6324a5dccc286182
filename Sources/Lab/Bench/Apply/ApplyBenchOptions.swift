/// How much is applied, and how often.
public struct ApplyBenchOptions: Hashable, Sendable {
  public var policies = 1000
  /// Of the node.
  public var pods = 1000
  /// Of full applies: each way once a round, in an order that turns round every time.
  public var rounds = 9
  /// Of whole syncs as kube-router does them, with a process for each step or object.
  public var syncs = 1
  /// Of each kind of update: so many back to back, and as many with a pause.
  public var updates = 1000
  /// Copies of the rules whose memory is measured at once.
  public var copies = 4

  public init() {}

  public static let policyRange = 1...4000
  public static let podRange = 1...10_000
  public static let roundRange = 1...1000
  public static let syncRange = 0...100
  public static let updateRange = 10...100_000
}
