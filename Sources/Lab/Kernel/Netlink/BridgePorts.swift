internal import CNftables
internal import Glibc

// linux/if_link.h, IFLA_BRPORT_*.
extension RouteBatch {
  /// bridge link set dev INDEX hairpin on
  ///
  /// A frame may then leave through the port that it came in on. This is needed when br_netfilter has translated a
  /// pod's packet to the pod itself. flannel's CNI configuration sets `hairpinMode`.
  public mutating func setHairpin(_ index: Int32) {
    var header = ifinfomsg()
    header.ifi_family = UInt8(AF_BRIDGE)
    header.ifi_index = index
    append("bridge link set dev \(index) hairpin on", Int(RTM_SETLINK), header) {
      $0.withNest(UInt16(IFLA_PROTINFO)) { $0.put(UInt16(IFLA_BRPORT_MODE), UInt8(1)) }
    }
  }

  /// bridge fdb add MAC dev INDEX master static
  ///
  /// The bridge then has a permanent entry for the port that leads to the hardware address.
  public mutating func addBridgeForwarding(to mac: [UInt8], dev index: Int32) {
    var header = ndmsg()
    header.ndm_family = UInt8(AF_BRIDGE)
    header.ndm_ifindex = index
    header.ndm_state = UInt16(NUD_NOARP)
    header.ndm_flags = UInt8(NTF_MASTER)
    append("bridge fdb add dev \(index) master static", RTM_NEWNEIGH, create: true, header) {
      $0.put(number(NDA_LLADDR), mac)
    }
  }
}
