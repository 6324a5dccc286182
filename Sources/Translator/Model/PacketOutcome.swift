/// What became of a flow's first packet: one set of words in reports, JSON and Expectations documents.
public enum PacketOutcome: String, Hashable, Sendable, CaseIterable {
  case delivered
  /// An ICMP error, a reset or SCTP's abort came back.
  case rejected
  /// Nothing came back.
  case dropped
  /// There is no way from one end to the other.
  case noRoute
  /// The kernel's answer proves nothing.
  case undecided

  /// For a person.
  public var text: String { self == .noRoute ? "no route" : rawValue }
}
