internal import Apply
internal import Kernel
package import NetpolModel
package import Path

/// What the fabric adds to the topology: link numbers, hardware addresses, gateways.
///
/// Neighbours are permanent entries, so no probe waits for ARP or is lost in its queue. The kernel's limit on learned
/// neighbours (`gc_thresh3`, 1,024 for the whole host) doesn't count them.
package struct AddressPlan {
  static let uplink: Int32 = 2
  static let bridge: Int32 = 3
  static func tunnel(_ family: IPFamily) -> Int32 { family == .v4 ? 4 : 5 }
  static let localDNS: Int32 = 6
  static let firstPort: Int32 = 10

  /// A machine on the underlay.
  package struct Station {
    package enum Kind {
      case node(String)
      case external(String)
      case control
    }
    package let kind: Kind
    package let addresses: [IPAddress]
    package let mac: [UInt8]
  }

  /// One end of the VXLAN between nodes (flannel's `vxlan` backend: VNI 1, one device per family).
  package struct Tunnel {
    package let family: IPFamily
    /// The address of the tunnel's device, and the one on the underlay.
    package let address, outer: IPAddress
    package let mac: [UInt8]
    /// The name of its device.
    package var name: String { family == .v4 ? "flannel.1" : "flannel-v6.1" }
    var index: Int32 { AddressPlan.tunnel(family) }
    package var mtu: UInt32 { AddressPlan.underlayMTU - VXLANLink.overhead(family.netlink) }
    var link: VXLANLink {
      VXLANLink(
        name, index: index, mac: mac, identifier: 1, local: outer.bytes,
        lower: AddressPlan.uplink, mtu: mtu)
    }
  }

  /// The MTU of Ethernet, and of a new veth.
  static let underlayMTU: UInt32 = 1500

  package let stations: [Station]
  package let controlAddresses: [IPAddress]
  let families: [IPFamily]
  private let podMACs: [PodID: [UInt8]]
  private let tunnels: [String: [Tunnel]]

  package init(_ topology: Topology, families: [IPFamily]) {
    self.families = families
    // From RFC 2544's benchmark block and a ULA block. No pods, nodes or neighbours use them.
    controlAddresses = families.map { $0 == .v4 ? IPAddress(v4: 0xc612_fffe) : IPAddress(v6: 0xfdff << 112 | 0xfffe) }
    var machines = topology.nodes.map { (Station.Kind.node($0.name), $0.addresses) }
    machines += topology.externals.map { (Station.Kind.external($0.name), $0.addresses) }
    machines.append((.control, controlAddresses))
    stations = machines.enumerated().map { index, machine in
      Station(
        kind: machine.0, addresses: machine.1.filter { families.contains($0.family) },
        mac: Self.mac(kind: 1, UInt32(index)))
    }
    podMACs = Dictionary(
      uniqueKeysWithValues: topology.pods.keys.sorted().enumerated().map { ($1, Self.mac(kind: 2, UInt32($0))) })
    tunnels = Dictionary(
      topology.nodes.enumerated().map { index, node in
        let ends = families.compactMap { family in
          guard let address = node.tunnel(family), let outer = node.addresses.first(where: { $0.family == family })
          else { return nil as Tunnel? }
          return Tunnel(
            family: family, address: address, outer: outer, mac: Self.mac(kind: family == .v4 ? 4 : 5, UInt32(index)))
        }
        return (node.name, ends)
      }, uniquingKeysWith: { first, _ in first })
  }

  package func tunnels(of node: Topology.NodePlace) -> [Tunnel] { tunnels[node.name] ?? [] }
  package func tunnel(of node: Topology.NodePlace, _ family: IPFamily) -> Tunnel? {
    tunnels(of: node).first { $0.family == family }
  }

  /// The MTU of the node's bridge and of everything attached to it, so that no packet is too large for the tunnel.
  package func podMTU(on node: Topology.NodePlace) -> UInt32 { tunnels(of: node).map(\.mtu).min() ?? Self.underlayMTU }

  package func mac(of pod: PodID) -> [UInt8] { podMACs[pod] ?? Self.mac(kind: 0, 0) }
  package func bridgeMAC(ofNode index: Int) -> [UInt8] { Self.mac(kind: 3, UInt32(index)) }

  /// The address through which a pod of the node leaves: the bridge's address or, if the node has no pod CIDR of the
  /// family, an address with no other use.
  package func gateway(of node: Topology.NodePlace, _ family: IPFamily) -> IPAddress {
    node.bridge.first { $0.address.family == family }?.address
      ?? (family == .v4 ? IPAddress(v4: 0xa9fe_0101) : IPAddress(v6: 0xfdfe << 112 | 1))
  }

  /// A locally administered unicast address.
  private static func mac(kind: UInt8, _ number: UInt32) -> [UInt8] {
    [0x02, kind] + stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> UInt32($0)) }
  }
}

extension Topology.NodePlace {
  /// The pod CIDRs of the family, and the addresses of pods outside them.
  package func blocks(_ family: IPFamily, _ topology: Topology) -> [CIDR] {
    let own = bridge.map(\.cidr).filter { $0.family == family }
    let outside = pods.flatMap { topology.pods[$0]?.addresses.map(\.address) ?? [] }.filter { address in
      address.family == family && !own.contains { $0.contains(address) }
    }
    return own + outside.map { CIDR($0) }
  }
}
