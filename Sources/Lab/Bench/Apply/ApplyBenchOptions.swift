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

  /// Why the numbers can't be used. `nil` if they can.
  public var obstacle: String? {
    if !(1...4000).contains(policies) { return "--policies \(policies): write a number from 1 to 4000" }
    if !(1...10_000).contains(pods) { return "--pods \(pods): write a number from 1 to 10000" }
    if !(1...1000).contains(rounds) { return "--rounds \(rounds): write a number from 1 to 1000" }
    if !(0...100).contains(syncs) { return "--syncs \(syncs): write a number from 0 to 100" }
    if !(10...100_000).contains(updates) { return "--updates \(updates): write a number from 10 to 100000" }
    return nil
  }
}
