/// Netfilter's hooks for the IP families, in the order of the kernel's `enum nf_inet_hooks`.
public enum Hook: String, Hashable, Sendable, CaseIterable {
  case prerouting, input, forward, output, postrouting
}

/// The conntrack state of a packet (`ip_conntrack_info`).
public enum ConntrackState: String, Hashable, Sendable, CaseIterable {
  case new = "NEW"
  case established = "ESTABLISHED"
  case related = "RELATED"
  case invalid = "INVALID"
  /// A rule took the packet out of connection tracking.
  case untracked = "UNTRACKED"
}

/// A packet as rules see it.
public struct Packet: Hashable, Sendable {
  public enum Payload: Hashable, Sendable {
    case transport(Transport, source: UInt16, destination: UInt16)
    /// ICMP or ICMPv6, depending on the family of the addresses.
    case icmp(type: UInt8)
    /// Any other IP protocol number.
    case other(UInt8)
  }

  public var source: IPAddress
  public var destination: IPAddress
  public var payload: Payload
  public var mark: UInt32
  public var state: ConntrackState
  /// Whether the packet is bridged between two ports of one bridge (br_netfilter) instead of routed.
  public var isBridged: Bool
  /// The Differentiated Services code point (RFC 2474), 0 to 63.
  public var codePoint: UInt8
  /// Whether the machine that it is on has translated its destination (conntrack's `IPS_DST_NAT`).
  public var hasNewDestination = false

  public init(
    from source: IPAddress, to destination: IPAddress, _ payload: Payload, mark: UInt32 = 0,
    state: ConntrackState = .new, isBridged: Bool = false, codePoint: UInt8 = 0
  ) {
    self.source = source
    self.destination = destination
    self.payload = payload
    self.mark = mark
    self.state = state
    self.isBridged = isBridged
    self.codePoint = codePoint
  }

  public var family: IPFamily { destination.family }
}

extension Packet {
  /// The first packet of a flow, before any rule: conntrack state NEW, mark zero, and the code point of the endpoint
  /// that a service's rules shall choose.
  public init(first flow: Flow, sourcePort: UInt16 = 40000) {
    let payload: Payload =
      switch flow.question {
      case .port(let port): .transport(port.transport, source: sourcePort, destination: port.port)
      case .echo: .icmp(type: flow.family == .v4 ? 8 : 128)
      }
    self.init(
      from: flow.sourceAddress, to: flow.destinationAddress, payload, codePoint: flow.chosen?.codePoint ?? 0)
  }
}

extension Packet {
  /// What the receiver of a first packet answers. `nil` if a protocol has no answer that is known here.
  public var answer: Packet? {
    let back: Payload
    switch payload {
    case .transport(let transport, let source, let destination):
      back = .transport(transport, source: destination, destination: source)
    case .icmp(let type):
      // Echo requests and replies.
      guard type == (source.family == .v4 ? 8 : 128) else { return nil }
      back = .icmp(type: source.family == .v4 ? 0 : 129)
    case .other: return nil
    }
    return Packet(from: destination, to: source, back, state: state == .untracked ? .untracked : .established)
  }
}
