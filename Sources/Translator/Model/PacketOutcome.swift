/// The outcome of a flow's first packet. Reports, JSON and Expectations documents use the same words.
public enum PacketOutcome: String, Hashable, Sendable, CaseIterable {
  case delivered
  /// An ICMP error, a TCP RST or an SCTP ABORT came back.
  case rejected
  /// Nothing came back.
  case dropped
  /// There is no route from one end to the other.
  case noRoute
  /// The kernel's answer proves nothing.
  case undecided

  /// The word for people to read.
  public var text: String { self == .noRoute ? "no route" : rawValue }
}
