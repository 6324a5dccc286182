internal import CNftables  // owns the constants of sys/socket.h in a whole-module build
internal import Glibc

/// The kind of packet that a probe sends.
public enum ProbeTransport: String, Hashable, Sendable, CaseIterable {
  /// A connection is opened and aborted.
  case tcp
  /// A datagram is sent and echoed.
  case udp
  /// An INIT is sent and answered by INIT ACK, both over raw sockets: the kernel needs no SCTP.
  case sctp
  /// An ICMP echo request, which the destination's kernel answers: there is no listener and no port.
  case ping

  var socketType: Int32 {
    let type =
      switch self {
      case .tcp: SOCK_STREAM
      // ICMP has its own kind of socket, which passes only echoes (icmp(7), ping_group_range).
      case .udp, .ping: SOCK_DGRAM
      case .sctp: SOCK_RAW
      }
    return Int32(type.rawValue) | nonblocking
  }
  /// 0 if the socket type determines the protocol.
  func socketProtocol(_ family: AddressFamily) -> Int32 {
    switch self {
    case .tcp, .udp: 0
    case .sctp: Int32(IPPROTO_SCTP)
    case .ping: Int32(family == .v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6)
    }
  }
  private var nonblocking: Int32 { Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue) }
}

/// A socket that answers probes on exactly one address.
public struct Listener: Sendable {
  public var namespace: NetworkNamespace
  public var address: ProbeAddress
  public var transport: ProbeTransport

  public init(in namespace: NetworkNamespace, on address: ProbeAddress, _ transport: ProbeTransport) {
    self.namespace = namespace
    self.address = address
    self.transport = transport
  }
}

/// One question to the network: does a first packet from here get through?
public struct Probe: Sendable {
  /// Where the packet starts.
  public var namespace: NetworkNamespace
  /// The source address, in the destination's family; `nil` lets the namespace's routes choose.
  public var sourceAddress: [UInt8]?
  public var destination: ProbeAddress
  public var transport: ProbeTransport
  /// The Differentiated Services code point of its packets (RFC 2474), 0 to 63.
  public var codePoint: UInt8

  public init(
    from namespace: NetworkNamespace, sourceAddress: [UInt8]? = nil, to destination: ProbeAddress,
    _ transport: ProbeTransport, codePoint: UInt8 = 0
  ) {
    self.namespace = namespace
    self.sourceAddress = sourceAddress
    self.destination = destination
    self.transport = transport
    self.codePoint = codePoint
  }
}
