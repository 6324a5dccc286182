internal import CNftables

/// The destination of a route: a block of addresses with no bits set after the prefix.
public struct RouteDestination: Hashable, Sendable {
  public var address: [UInt8]
  public var prefix: UInt8

  public init(_ address: [UInt8], prefix: UInt8) {
    self.address = address
    self.prefix = prefix
  }

  /// Everything: 0.0.0.0/0 or ::/0.
  public static func all(_ family: AddressFamily) -> RouteDestination {
    RouteDestination([UInt8](repeating: 0, count: family == .v4 ? 4 : 16), prefix: 0)
  }
}

// Message RTM_NEWROUTE, struct rtmsg, attributes RTA_*: linux/rtnetlink.h.
extension RouteBatch {
  /// ip route add DESTINATION via GATEWAY dev INDEX src SOURCE onlink
  ///
  /// `onlink` treats the gateway as a neighbour even if no route says so, as in flannel's routes to other nodes.
  public mutating func addRoute(
    to destination: RouteDestination, via gateway: [UInt8]? = nil, dev index: Int32, onlink: Bool = false,
    source: [UInt8]? = nil
  ) {
    var header = rtmsg()
    header.rtm_family = AddressFamily.required(of: destination.address).number
    header.rtm_dst_len = destination.prefix
    header.rtm_table = UInt8(number(RT_TABLE_MAIN))
    header.rtm_protocol = UInt8(RTPROT_STATIC)
    header.rtm_type = UInt8(number(RTN_UNICAST))
    // An IPv4 route without a gateway leads to neighbours (link scope). IPv6 ignores the scope.
    header.rtm_scope = (gateway == nil ? RouteScope.link : .universe).rawValue
    if onlink { header.rtm_flags = UInt32(RTNH_F_ONLINK) }
    let label =
      "ip route add \(addressText(destination.address))/\(destination.prefix)"
      + (gateway.map { " via \(addressText($0))" } ?? "") + " dev \(index)"
    append(label, RTM_NEWROUTE, create: true, header) {
      if destination.prefix > 0 { $0.put(number(RTA_DST), destination.address) }
      if let gateway { $0.put(number(RTA_GATEWAY), gateway) }
      if let source { $0.put(number(RTA_PREFSRC), source) }
      $0.put(number(RTA_OIF), UInt32(bitPattern: index))
    }
  }

  /// ip route add local DESTINATION dev lo
  ///
  /// Every address of the block is then local to the namespace: it answers for them, and sockets can bind to them.
  public mutating func addLocalRoute(to destination: RouteDestination) {
    var header = rtmsg()
    header.rtm_family = AddressFamily.required(of: destination.address).number
    header.rtm_dst_len = destination.prefix
    header.rtm_table = UInt8(number(RT_TABLE_LOCAL))
    header.rtm_protocol = UInt8(RTPROT_STATIC)
    header.rtm_type = UInt8(number(RTN_LOCAL))
    header.rtm_scope = RouteScope.host.rawValue
    let label = "ip route add local \(addressText(destination.address))/\(destination.prefix) dev lo"
    append(label, RTM_NEWROUTE, create: true, header) {
      $0.put(number(RTA_DST), destination.address)
      $0.put(number(RTA_OIF), UInt32(1))
    }
  }
}
