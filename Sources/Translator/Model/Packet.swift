/// Netfilter's hooks of the IP families, in the order in which a forwarded packet and then a local one meets them.
public enum Hook: String, Hashable, Sendable, CaseIterable {
  case prerouting, input, forward, output, postrouting
}

/// What conntrack says of a packet (`ip_conntrack_info`).
public enum ConntrackState: String, Hashable, Sendable, CaseIterable {
  case new = "NEW"
  case established = "ESTABLISHED"
  case related = "RELATED"
  case invalid = "INVALID"
}

/// A packet as rules see it.
public struct Packet: Hashable, Sendable {
  public enum Payload: Hashable, Sendable {
    case transport(Transport, source: UInt16, destination: UInt16)
    /// ICMP or ICMPv6, by the family of the addresses.
    case icmp(type: UInt8)
    /// Any other IP protocol number.
    case other(UInt8)
  }

  public var source: IPAddress
  public var destination: IPAddress
  public var payload: Payload
  public var mark: UInt32
  public var state: ConntrackState
  /// Whether it is passed between two ports of one bridge (br_netfilter), not routed.
  public var isBridged: Bool

  public init(
    from source: IPAddress, to destination: IPAddress, _ payload: Payload, mark: UInt32 = 0,
    state: ConntrackState = .new, isBridged: Bool = false
  ) {
    self.source = source
    self.destination = destination
    self.payload = payload
    self.mark = mark
    self.state = state
    self.isBridged = isBridged
  }

  public var family: IPFamily { destination.family }
}

extension Packet {
  /// The first packet of the flow, before any rule: conntrack sees a new connection, the mark is zero.
  public init(first flow: Flow, sourcePort: UInt16 = 40000) {
    let payload: Payload =
      switch flow.question {
      case .port(let port): .transport(port.transport, source: sourcePort, destination: port.port)
      case .echo: .icmp(type: flow.family == .v4 ? 8 : 128)
      }
    self.init(from: flow.sourceAddress, to: flow.destinationAddress, payload)
  }
}
