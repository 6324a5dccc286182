public import NetpolModel

/// A stream of numbered datagrams from or to a newcomer (SYNs if the flow is TCP), and how the rules before and after
/// treat it.
public struct LagStream: Hashable, Sendable {
  public enum Change: String, Hashable, Sendable, CaseIterable {
    /// Refused until enforcers include the newcomer: the fail-closed window.
    case opens
    /// Passes until the newcomer's own rules are in place: the fail-open window.
    case closes
    case staysOpen = "stays-open"
  }

  public let flow: Flow
  /// Index in the `newcomers` of the actors.
  public let newcomer: Int
  public let change: Change
  /// Whether the newcomer sends.
  public let isOutgoing: Bool
  /// What decides after the change: a policy, and the kind of peer by which it admits the flow.
  public let decidedBy: String

  /// The name of what is counted, in the singular.
  public var unit: String { flow.transport == .tcp ? "SYN" : "datagram" }

  public var other: Endpoint { isOutgoing ? flow.destination : flow.source }
}
