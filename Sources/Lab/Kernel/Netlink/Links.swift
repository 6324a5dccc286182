internal import CNftables
internal import Glibc

/// One end of a veth pair (veth(4)).
public struct VethEnd: Hashable, Sendable {
  public var name: String
  public var index: Int32
  /// The hardware address; `nil` lets the kernel choose one at random.
  public var mac: [UInt8]?

  public init(_ name: String, index: Int32, mac: [UInt8]? = nil) {
    self.name = name
    self.index = index
    self.mac = mac
  }
}

// Message RTM_NEWLINK, struct ifinfomsg, attributes IFLA_*: linux/rtnetlink.h, linux/if_link.h.
extension RouteBatch {
  /// ip link add NAME index INDEX mtu MTU type bridge
  ///
  /// Without an explicit MTU, a bridge takes the smallest MTU of its ports.
  public mutating func createBridge(_ name: String, index: Int32, mac: [UInt8]? = nil, mtu: UInt32? = nil) {
    append("ip link add \(name) type bridge", RTM_NEWLINK, create: true, ifinfomsg(index: index)) {
      $0.put(number(IFLA_IFNAME), string: name)
      if let mac { $0.put(number(IFLA_ADDRESS), mac) }
      if let mtu { $0.put(number(IFLA_MTU), mtu) }
      $0.withNest(number(IFLA_LINKINFO)) { $0.put(number(IFLA_INFO_KIND), string: "bridge") }
    }
  }

  /// ip link add NAME index INDEX mtu MTU master MASTER type veth peer name PEER index INDEX mtu MTU netns …
  ///
  /// Both ends are down at first. An end can't come up before the other exists, and the far end only from inside its
  /// namespace.
  public mutating func createVeth(
    _ near: VethEnd, master: Int32? = nil, peer: VethEnd, in namespace: NetworkNamespace, mtu: UInt32? = nil
  ) {
    namespaces.append(namespace)
    let fd = namespace.fd
    let label = "ip link add \(near.name) type veth peer \(peer.name)"
    append(label, RTM_NEWLINK, create: true, ifinfomsg(index: near.index)) {
      $0.put(number(IFLA_IFNAME), string: near.name)
      if let mac = near.mac { $0.put(number(IFLA_ADDRESS), mac) }
      if let mtu { $0.put(number(IFLA_MTU), mtu) }
      if let master { $0.put(number(IFLA_MASTER), UInt32(bitPattern: master)) }
      $0.withNest(number(IFLA_LINKINFO)) {
        $0.put(number(IFLA_INFO_KIND), string: "veth")
        $0.withNest(number(IFLA_INFO_DATA)) {
          $0.withNest(number(VETH_INFO_PEER)) {
            $0.append(ifinfomsg(index: peer.index))
            $0.put(number(IFLA_IFNAME), string: peer.name)
            if let mac = peer.mac { $0.put(number(IFLA_ADDRESS), mac) }
            if let mtu { $0.put(number(IFLA_MTU), mtu) }
            $0.put(number(IFLA_NET_NS_FD), UInt32(bitPattern: fd))
          }
        }
      }
    }
  }

  /// ip link set dev INDEX up
  public mutating func bringUp(_ index: Int32) {
    var header = ifinfomsg(index: index)
    header.ifi_flags = UInt32(IFF_UP)
    header.ifi_change = header.ifi_flags
    append("ip link set dev \(index) up", RTM_NEWLINK, header)
  }

  /// ip link set dev INDEX master MASTER
  public mutating func setMaster(_ master: Int32, of index: Int32) {
    append("ip link set dev \(index) master \(master)", RTM_NEWLINK, ifinfomsg(index: index)) {
      $0.put(number(IFLA_MASTER), UInt32(bitPattern: master))
    }
  }

  /// ip link del dev INDEX
  ///
  /// Deleting one end of a veth pair deletes the other too.
  public mutating func deleteLink(_ index: Int32) {
    append("ip link del dev \(index)", RTM_DELLINK, ifinfomsg(index: index))
  }
}

extension ifinfomsg {
  init(index: Int32) {
    self.init()
    ifi_index = index
  }
}
