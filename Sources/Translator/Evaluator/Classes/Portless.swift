public import NetpolModel

/// Packets without ports that no rule tells apart.
public struct Portless: Hashable, Sendable {
  /// ICMP types, or empty.
  public let icmpTypes: Set<UInt8>
  /// Numbers of other IP protocols, or empty.
  public let protocols: Set<UInt8>

  public init(icmpTypes: Set<UInt8>) {
    self.icmpTypes = icmpTypes
    protocols = []
  }
  public init(protocols: Set<UInt8>) {
    self.protocols = protocols
    icmpTypes = []
  }

  /// An echo request of a family.
  public static func echo(_ family: IPFamily) -> Portless { Portless(icmpTypes: [family == .v4 ? 8 : 128]) }

  var payload: Packet.Payload {
    if let type = icmpTypes.min() { return .icmp(type: type) }
    return .other(protocols.min() ?? 255)
  }
}
