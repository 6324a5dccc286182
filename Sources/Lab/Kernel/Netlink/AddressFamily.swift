internal import Glibc

/// IPv4 or IPv6. In this module an address is its 4 or 16 bytes in network order.
public enum AddressFamily: Hashable, Sendable, CaseIterable {
  case v4
  case v6

  /// The family of an address, derived from its length.
  public init?(of address: [UInt8]) {
    switch address.count {
    case 4: self = .v4
    case 16: self = .v6
    default: return nil
    }
  }

  /// AF_INET or AF_INET6 (NFPROTO_IPV4 and NFPROTO_IPV6 are the same numbers).
  var number: UInt8 { UInt8(self == .v4 ? AF_INET : AF_INET6) }

  /// The family of an address that the program made itself. Any other length is a bug in the program.
  static func required(of address: [UInt8]) -> AddressFamily {
    guard let family = AddressFamily(of: address) else {
      preconditionFailure("an IP address has 4 or 16 bytes, not \(address.count)")
    }
    return family
  }
}

/// The address as text. The corresponding C function is `inet_ntop`.
func addressText(_ address: [UInt8]) -> String {
  guard let family = AddressFamily(of: address) else { return "an address of \(address.count) bytes" }
  return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
    guard let start = text.baseAddress,
      inet_ntop(Int32(family.number), address, start, socklen_t(text.count)) != nil
    else { return "?" }
    return String(cString: start)
  }
}
