internal import NetpolModel

/// The service CIDRs of a cluster: those of the Cluster document, or of ServiceCIDR objects, or those that the ClusterIPs
/// imply.
struct ServiceNetworks {
  /// Those of the family that Services have by default come first.
  private(set) var cidrs: [CIDR] = []
  private(set) var notes: [Note] = []
  /// Whether some are only implied by ClusterIPs, so that the cluster's own may be wider.
  private(set) var areImplied = false

  /// k3s's networks, and others for clusters whose machines are in these.
  private static let usual: [IPFamily: [CIDR]] = [
    .v4: [0x0a2b_0000, 0x0a60_0000, 0xac14_0000].map { CIDR(IPAddress(v4: $0), prefixLength: 16) },
    .v6: [0x43, 0x96].map { CIDR(IPAddress(v6: (0xfd00_0000 + $0) << 96), prefixLength: 112) },
  ]

  init(_ inventory: Inventory, _ pins: Pins) {
    if let stated = inventory.cluster?.serviceCIDRs {
      cidrs = stated
      return
    }
    // The API server's own networks come first.
    let objects = inventory.serviceCIDRs.sorted { ($1.isDefault ? 1 : 0, $0.id) < ($0.isDefault ? 1 : 0, $1.id) }
    let given = objects.flatMap(\.cidrs)
    if objects.contains(where: \.isDefault) {
      cidrs = given
      return
    }
    let services = inventory.services.filter(\.wantsClusterIP)
    let known = { (service: ServiceManifest) in service.statedIPs.map(\.value) + pins.clusterIPs(of: service) }
    let addresses = services.flatMap(known)
    let first = services.first { $0.service.id == NamespacedName("default", "kubernetes") }
    let primary = given.first?.family ?? first.flatMap { known($0).first?.family } ?? addresses.first?.family ?? .v4
    let used = Set((given.map(\.family) + addresses.map(\.family)) + [primary])
    let families = [primary] + used.subtracting([primary])

    let places = InferredNetworks.Places(inventory, pins)
    var remarks: [String] = []
    for family in families {
      let own = given.filter { $0.family == family }
      let others = addresses.filter { address in address.family == family && !own.contains { $0.contains(address) } }
      cidrs += own
      let usual = (Self.usual[family] ?? []).first(where: places.areOutside)
      if own.isEmpty, let usual, others.allSatisfy(usual.contains) {
        cidrs.append(usual)
        if usual != Self.usual[family]?.first {
          let first = Self.usual[family]?.first.map { "\($0)" } ?? ""
          notes.append(Note(.note, "service CIDR assumed: \(usual), because machines have addresses in \(first)"))
        }
      }
      if others.allSatisfy({ address in cidrs.contains { $0.contains(address) } }) { continue }
      var networks = InferredNetworks(others, family, places)
      let lacking = services.filter { service in
        service.families(families).contains(family) && !known(service).contains { $0.family == family }
      }
      if own.isEmpty { networks.makeRoom(for: lacking.count, usual: usual, places) }
      cidrs += networks.cidrs
      remarks.append(networks.remark)
    }
    if !remarks.isEmpty {
      areImplied = true
      notes.append(Note(.note, "service CIDRs assumed from the ClusterIPs: \(remarks.joined(separator: "; "))"))
    }
  }
}
