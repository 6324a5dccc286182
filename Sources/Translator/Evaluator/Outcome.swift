public import NetpolModel
public import RuleIR

/// What happened to a packet at a hook.
public struct Outcome: Sendable {
  public enum Verdict: Hashable, Sendable {
    case accept
    case drop
    case reject(Statement.Rejection)
  }

  public let verdict: Verdict
  /// The packet after the hook: the rules may have changed its mark or addresses.
  public let packet: Packet
  /// Rules whose matches held, in the order in which the packet met them.
  public let steps: [Step]
  /// Rules tested, matching or not.
  public let rulesVisited: Int

  init(_ verdict: Verdict, _ run: Evaluator.Run) {
    self.verdict = verdict
    packet = run.packet
    steps = run.steps
    rulesVisited = run.rulesVisited
  }
}

/// A rule that a packet met and matched.
public struct Step: Hashable, Sendable {
  public let table: String
  public let chain: ChainName
  /// The rule's index in its chain, from 0.
  public let index: Int
  public let rule: Rule
}
