internal import Evaluator
public import NetpolModel
public import Path
internal import RuleIR

/// Everything that one flow's first packet meets: each hook, the packet before and after it, and every rule whose matches
/// held. For a whole matrix this would take gigabytes.
public struct PacketRecord: Hashable, Sendable {
  public struct AtHook: Hashable, Sendable {
    public let position: Position
    public let before: Packet
    public let after: Packet
    /// `nil` if the hook let it through.
    public let stop: Journey.Stop?
    public let rules: [Met]
  }

  /// A rule whose matches held.
  public struct Met: Hashable, Sendable {
    public let table: String
    public let rule: DecidingRule
    /// Whether it allows, exempts, marks, translates or refuses.
    public let decides: Bool
    /// Whether it is in one of iptables' tables.
    public let isIptables: Bool
    /// Whether a rate limit may keep it from matching. The evaluator has no clock.
    public let isLimited: Bool
  }

  public let hooks: [AtHook]
  public let end: Walk.End
}

extension EnforcedCluster {
  /// Follows the flow's first packet and keeps everything that it meets.
  public func record(of flow: Flow) -> PacketRecord {
    let walk = walk(flow)
    let deciding = Set(walk.deciding.map(\.step))
    return PacketRecord(
      hooks: walk.hooks.map { hook in
        PacketRecord.AtHook(
          position: hook.position, before: hook.packet, after: hook.outcome.packet,
          stop: Journey.Stop(hook.outcome.verdict),
          rules: hook.outcome.steps.map { step in
            PacketRecord.Met(
              table: step.table, rule: DecidingRule(step, at: hook.position, flow.family, in: self),
              decides: deciding.contains(step),
              isIptables: backend(ofTable: step.table, flow.family) == .iptables,
              isLimited: step.rule.matches.contains { if case .limit = $0 { true } else { false } })
          })
      }, end: walk.walk.end)
  }
}
