/// How much is applied, and how often.
public struct ApplyBenchOptions: Hashable, Sendable {
  public var policies = 1000
  /// Pods on the node.
  public var pods = 1000
  /// Rounds of full loads. Each round loads once in each way, in an order that is reversed every round.
  public var rounds = 9
  /// Number of whole syncs as kube-router does them, with a process for each step or object.
  public var syncs = 1
  /// Number of updates of each kind: this many back to back, and as many with a pause.
  public var updates = 1000
  /// Number of copies of the rules that are loaded at once when memory is measured.
  public var copies = 4

  public init() {}

  public static let policyRange = 1...4000
  public static let podRange = 1...10_000
  public static let roundRange = 1...1000
  public static let syncRange = 0...100
  public static let updateRange = 10...100_000
}
