internal import CNftables
internal import Glibc

/// An Ethernet interface whose frames travel in UDP between two hosts (RFC 7348, Documentation/networking/vxlan.rst).
///
/// It learns no addresses: frames go only where `addForwarding` sends them.
public struct VXLANLink: Hashable, Sendable {
  public var name: String
  public var index: Int32
  public var mac: [UInt8]
  /// The VXLAN network identifier: 24 bits.
  public var identifier: UInt32
  /// The address of this host in the outer header. Its family is the family of the tunnel.
  public var local: [UInt8]
  /// The interface through which the outer packets leave.
  public var lower: Int32
  /// 8472 is the default of Linux and flannel. IANA's 4789 came later.
  public var port: UInt16
  public var mtu: UInt32

  public init(
    _ name: String, index: Int32, mac: [UInt8], identifier: UInt32, local: [UInt8], lower: Int32, port: UInt16 = 8472,
    mtu: UInt32
  ) {
    self.name = name
    self.index = index
    self.mac = mac
    self.identifier = identifier
    self.local = local
    self.lower = lower
    self.port = port
    self.mtu = mtu
  }

  /// Bytes of an MTU that the outer headers take: Ethernet 14, VXLAN 8, UDP 8, and IPv4 20 or IPv6 40.
  public static func overhead(_ family: AddressFamily) -> UInt32 { family == .v4 ? 50 : 70 }
}

// Attributes IFLA_VXLAN_*: linux/if_link.h. Forwarding entries are struct ndmsg of AF_BRIDGE: linux/neighbour.h.
extension RouteBatch {
  /// ip link add NAME index INDEX address MAC mtu MTU type vxlan id ID local ADDRESS dev LOWER dstport PORT nolearning
  public mutating func createVXLAN(_ link: VXLANLink) {
    let family = AddressFamily.required(of: link.local)
    let label = "ip link add \(link.name) type vxlan id \(link.identifier) local \(addressText(link.local))"
    append(label, RTM_NEWLINK, create: true, ifinfomsg(index: link.index)) {
      $0.put(number(IFLA_IFNAME), string: link.name)
      $0.put(number(IFLA_ADDRESS), link.mac)
      $0.put(number(IFLA_MTU), link.mtu)
      $0.withNest(number(IFLA_LINKINFO)) {
        $0.put(number(IFLA_INFO_KIND), string: "vxlan")
        $0.withNest(number(IFLA_INFO_DATA)) {
          $0.put(number(IFLA_VXLAN_ID), link.identifier)
          $0.put(number(family == .v4 ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6), link.local)
          $0.put(number(IFLA_VXLAN_LINK), UInt32(bitPattern: link.lower))
          // In network order, but without the NLA_F_NET_BYTEORDER flag.
          $0.put(number(IFLA_VXLAN_PORT), link.port.bigEndian)
          $0.put(number(IFLA_VXLAN_LEARNING), UInt8(0))
        }
      }
    }
  }

  /// bridge fdb append MAC dev INDEX dst REMOTE self permanent
  ///
  /// Frames for the hardware address then go to the remote host.
  public mutating func addForwarding(to mac: [UInt8], remote: [UInt8], dev index: Int32) {
    var header = ndmsg()
    header.ndm_family = UInt8(AF_BRIDGE)
    header.ndm_ifindex = index
    header.ndm_state = UInt16(NUD_PERMANENT)
    header.ndm_flags = UInt8(NTF_SELF)
    append("bridge fdb append dev \(index) dst \(addressText(remote))", RTM_NEWNEIGH, create: true, header) {
      $0.put(number(NDA_LLADDR), mac)
      $0.put(number(NDA_DST), remote)
    }
  }
}
