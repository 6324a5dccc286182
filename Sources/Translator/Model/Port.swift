/// The transport protocols of NetworkPolicy v1 (`NetworkPolicyPort.protocol`).
public enum Transport: String, Hashable, Sendable, CaseIterable, Comparable {
  case tcp = "TCP"
  case udp = "UDP"
  case sctp = "SCTP"

  /// IANA protocol number.
  public var number: UInt8 {
    switch self {
    case .tcp: 6
    case .udp: 17
    case .sctp: 132
    }
  }
  /// The name in iptables and nft.
  public var keyword: String { rawValue.lowercased() }
  public static func < (a: Transport, b: Transport) -> Bool { a.number < b.number }
}

/// Ports from `first` to `last`, both included. Empty if `last` is lower than `first`.
public struct PortRange: Hashable, Sendable, CustomStringConvertible {
  public let first: UInt16
  public let last: UInt16

  public init(_ first: UInt16, _ last: UInt16) {
    self.first = first
    self.last = last
  }
  public init(_ port: UInt16) { self.init(port, port) }

  public func contains(_ port: UInt16) -> Bool { first <= port && port <= last }
  /// `80` or `80-90`.
  public var description: String { first == last ? "\(first)" : "\(first)-\(last)" }
}

/// A transport protocol and a port, printed as `TCP/80`.
public struct TransportPort: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let transport: Transport
  public let port: UInt16
  public init(_ transport: Transport, _ port: UInt16) {
    self.transport = transport
    self.port = port
  }
  public var description: String { "\(transport.rawValue)/\(port)" }
  public static func < (a: Self, b: Self) -> Bool { (a.transport, a.port) < (b.transport, b.port) }
}
