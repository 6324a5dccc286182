internal import NetpolModel
internal import Path

/// What the fabric adds to the topology: link numbers, hardware addresses, gateways.
///
/// Neighbours are permanent entries, so no probe waits for ARP and none is lost in its queue; the kernel's limit on
/// learned neighbours (`gc_thresh3`, 1,024 for the whole host) does not count them.
struct AddressPlan {
  static let uplink: Int32 = 2
  static let bridge: Int32 = 3
  static let firstPort: Int32 = 10

  /// A machine on the underlay.
  struct Station {
    enum Kind {
      case node(String)
      case external(String)
      case control
    }
    let kind: Kind
    let addresses: [IPAddress]
    let mac: [UInt8]
  }

  let stations: [Station]
  let controlAddresses: [IPAddress]
  let families: [IPFamily]
  private let podMACs: [PodID: [UInt8]]

  init(_ topology: Topology, families: [IPFamily]) {
    self.families = families
    // RFC 2544's benchmark block and a ULA: nobody's pods, nodes or neighbours.
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
  }

  func mac(of pod: PodID) -> [UInt8] { podMACs[pod] ?? Self.mac(kind: 0, 0) }
  func bridgeMAC(ofNode index: Int) -> [UInt8] { Self.mac(kind: 3, UInt32(index)) }

  /// The address through which a pod of the node leaves: its bridge's, or where the node has no pod CIDR of the family
  /// one that serves for nothing else.
  func gateway(of node: Topology.NodePlace, _ family: IPFamily) -> IPAddress {
    node.bridge.first { $0.address.family == family }?.address
      ?? (family == .v4 ? IPAddress(v4: 0xa9fe_0101) : IPAddress(v6: 0xfdfe << 112 | 1))
  }

  /// Locally administered, unicast.
  private static func mac(kind: UInt8, _ number: UInt32) -> [UInt8] {
    [0x02, kind] + stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> UInt32($0)) }
  }
}
