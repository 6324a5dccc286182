public import NetpolModel

/// One stream of numbered datagrams, or SYNs where the flow is TCP's, from or to a newcomer, and what the rules before
/// and after say of it.
public struct LagStream: Hashable, Sendable {
  public enum Change: String, Hashable, Sendable, CaseIterable {
    /// Refused until enforcers know the newcomer: the fail-closed window.
    case opens
    /// Passes until the newcomer's own rules stand: the fail-open window.
    case closes
    case staysOpen = "stays-open"
  }

  public let flow: Flow
  /// Index of the newcomer among those of the actors.
  public let newcomer: Int
  public let change: Change
  /// Whether the newcomer sends.
  public let isOutgoing: Bool
  /// What decides once everything is known: a policy and how it names its peer.
  public let decidedBy: String

  /// What is counted.
  public var unit: String { flow.transport == .tcp ? "SYN" : "datagram" }

  public var other: Endpoint { isOutgoing ? flow.destination : flow.source }
}
