internal import CNftables

/// The scope of an address or a route (RT_SCOPE_*, linux/rtnetlink.h).
public enum RouteScope: UInt8, Hashable, Sendable {
  case universe = 0
  case link = 253
  case host = 254
}

// Messages RTM_NEWADDR (struct ifaddrmsg, linux/if_addr.h) and RTM_NEWNEIGH (struct ndmsg, linux/neighbour.h).
extension RouteBatch {
  /// ip addr add ADDRESS/PREFIX dev INDEX scope SCOPE nodad
  ///
  /// IPv6 addresses skip duplicate address detection (IFA_F_NODAD), which would delay them by a second or two.
  public mutating func addAddress(
    _ address: [UInt8], prefix: UInt8, to index: Int32, scope: RouteScope = .universe
  ) {
    let family = AddressFamily.required(of: address)
    var header = ifaddrmsg()
    header.ifa_family = family.number
    header.ifa_prefixlen = prefix
    header.ifa_scope = scope.rawValue
    header.ifa_index = UInt32(bitPattern: index)
    append("ip addr add \(addressText(address))/\(prefix) dev \(index)", RTM_NEWADDR, create: true, header) {
      // In IPv4, LOCAL is the interface's own address. ADDRESS is the other end's on a point-to-point link.
      $0.put(number(IFA_LOCAL), address)
      $0.put(number(IFA_ADDRESS), address)
      if family == .v6 { $0.put(number(IFA_FLAGS), UInt32(IFA_F_NODAD)) }
    }
  }

  /// ip neigh add ADDRESS lladdr MAC dev INDEX nud permanent
  public mutating func addNeighbour(_ address: [UInt8], mac: [UInt8], dev index: Int32) {
    var header = ndmsg()
    header.ndm_family = AddressFamily.required(of: address).number
    header.ndm_ifindex = index
    header.ndm_state = UInt16(NUD_PERMANENT)
    append("ip neigh add \(addressText(address)) dev \(index)", RTM_NEWNEIGH, create: true, header) {
      $0.put(number(NDA_DST), address)
      $0.put(number(NDA_LLADDR), mac)
    }
  }
}
