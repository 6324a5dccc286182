internal import Apply
internal import Glibc
internal import Kernel
internal import NetpolModel
internal import Path

/// Creates the namespaces of a fabric and connects them, in the order underlay, nodes, external hosts, pods.
struct FabricBuilder {
  let topology: Topology
  let plan: AddressPlan
  private let worker: NamespaceWorker
  private let bridgeNetfilter: Bool
  private let liftICMPLimits: Bool
  let underlay: NetworkNamespace
  let control: NetworkNamespace
  private(set) var nodes: [String: NetworkNamespace] = [:]
  private(set) var externals: [String: NetworkNamespace] = [:]
  private(set) var pods: [PodID: NetworkNamespace] = [:]

  init(
    _ topology: Topology, families: [IPFamily], bridgeNetfilter: Bool, liftICMPLimits: Bool, worker: NamespaceWorker
  ) throws {
    self.topology = topology
    self.worker = worker
    self.bridgeNetfilter = bridgeNetfilter
    self.liftICMPLimits = liftICMPLimits
    plan = AddressPlan(topology, families: families)
    try MemoryNeed.namespaces(topology.nodes.count + topology.externals.count + topology.pods.count + 2).require()
    underlay = try worker.makeNamespace()
    control = try worker.makeNamespace()
  }

  mutating func build() throws {
    for node in topology.nodes { nodes[node.name] = try worker.makeNamespace() }
    for host in topology.externals { externals[host.name] = try worker.makeNamespace() }
    for id in topology.pods.keys { pods[id] = try worker.makeNamespace() }
    try joinUnderlay()
    for (index, node) in topology.nodes.enumerated() { try configure(node, index) }
    for host in topology.externals { try configure(host) }
    try configureStation(control, ownAddresses: plan.controlAddresses)
    for node in topology.nodes { try configurePods(of: node) }
    for namespace in [underlay] + nodes.values {
      try worker.run(in: namespace) { try NetlinkSocket(.route).waitForVeths() }
    }
  }

  // MARK: - Underlay

  /// Creates one bridge. Each station's uplink is a port of it.
  private func joinUnderlay() throws {
    try worker.run(in: underlay) {
      try disableRedirectsAndDAD()
      var batch = RouteBatch()
      batch.createBridge("underlay", index: AddressPlan.bridge)
      batch.bringUp(AddressPlan.bridge)
      for (index, station) in plan.stations.enumerated() {
        guard let namespace = namespace(of: station) else { continue }
        let port = AddressPlan.firstPort + Int32(index)
        batch.createVeth(
          VethEnd("port\(index)", index: port), master: AddressPlan.bridge,
          peer: VethEnd("eth0", index: AddressPlan.uplink, mac: station.mac), in: namespace)
        batch.bringUp(port)
      }
      try batch.send()
    }
  }

  private func namespace(of station: AddressPlan.Station) -> NetworkNamespace? {
    switch station.kind {
    case .node(let name): nodes[name]
    case .external(let name): externals[name]
    case .control: control
    }
  }

  /// Adds what every machine of the underlay needs first: its addresses.
  private func stationAddresses(_ batch: inout RouteBatch, own: [IPAddress]) {
    batch.bringUp(1)
    for address in own {
      batch.addAddress(address.bytes, prefix: UInt8(address.family.bitWidth), to: AddressPlan.uplink)
    }
    batch.bringUp(AddressPlan.uplink)
  }

  /// Adds the routes to the other machines, and to pods through their nodes, except for nodes that `node` has a tunnel
  /// to.
  private func stationRoutes(_ batch: inout RouteBatch, own: [IPAddress], of node: Topology.NodePlace? = nil) {
    for station in plan.stations where station.addresses.first.map(own.contains) != true {
      for address in station.addresses {
        batch.addNeighbour(address.bytes, mac: station.mac, dev: AddressPlan.uplink)
        batch.addRoute(to: address.destination, dev: AddressPlan.uplink, source: own.source(for: address))
      }
    }
    for host in topology.externals {
      for network in host.networks {
        guard plan.families.contains(network.family), let gateway = host.address(network.family) else { continue }
        // The host answers for every address of the networks behind it.
        if own.contains(gateway) {
          batch.addLocalRoute(to: network.destination)
          continue
        }
        batch.addRoute(to: network.destination, via: gateway.bytes, dev: AddressPlan.uplink, onlink: true)
      }
    }
    for other in topology.nodes where other.name != node?.name {
      for family in plan.families where node?.isTunnelled(to: other, family) != true {
        guard let gateway = other.addresses.first(where: { $0.family == family }) else { continue }
        for block in other.blocks(family, topology) {
          batch.addRoute(
            to: block.destination, via: gateway.bytes, dev: AddressPlan.uplink, onlink: true,
            source: own.source(for: gateway))
        }
      }
    }
  }

  private func createTunnels(of node: Topology.NodePlace) throws {
    var batch = RouteBatch()
    for own in plan.tunnels(of: node) { batch.createVXLAN(own.link) }
    if batch.isEmpty { return }
    do {
      try batch.send()
    } catch let error as KernelError where error.code == EOPNOTSUPP {
      throw LabError("this kernel has no VXLAN (\(error)); \"overlay: host-gw\" in a Cluster document avoids it")
    }
  }

  /// Adds the node's end of the tunnels, and the routes through them to the other nodes' pods. All entries are static,
  /// as with flannel: the gateway's hardware address, and the host behind it.
  private func tunnelRoutes(_ batch: inout RouteBatch, of node: Topology.NodePlace) {
    for own in plan.tunnels(of: node) {
      batch.addAddress(own.address.bytes, prefix: UInt8(own.family.bitWidth), to: own.index)
      batch.bringUp(own.index)
      for other in topology.nodes where node.isTunnelled(to: other, own.family) {
        guard let end = plan.tunnel(of: other, own.family) else { continue }
        batch.addNeighbour(end.address.bytes, mac: end.mac, dev: own.index)
        batch.addForwarding(to: end.mac, remote: end.outer.bytes, dev: own.index)
        for block in other.blocks(own.family, topology) {
          batch.addRoute(to: block.destination, via: end.address.bytes, dev: own.index, onlink: true)
        }
      }
    }
  }

  private func configureStation(_ namespace: NetworkNamespace, ownAddresses: [IPAddress]) throws {
    try worker.run(in: namespace) {
      try disableRedirectsAndDAD()
      var batch = RouteBatch()
      stationAddresses(&batch, own: ownAddresses)
      stationRoutes(&batch, own: ownAddresses)
      announcedRoutes(&batch, own: ownAddresses)
      try batch.send()
    }
  }

  /// An external host always has a route back to the pods, so that replies arrive without address translation. Whether
  /// it can start a flow to a pod is up to the path (`routesToPods`).
  private func configure(_ host: ExternalHost) throws {
    guard let namespace = externals[host.name] else { return }
    if plan.families.contains(.v6), !host.networks.isEmpty {
      // In IPv6 no socket can have an address for which only a local route exists (ip-sysctl.rst, ip_nonlocal_bind).
      try worker.run(in: namespace) { try Sysctl.write("net/ipv6/ip_nonlocal_bind", "1") }
    }
    try configureStation(namespace, ownAddresses: host.addresses.filter { plan.families.contains($0.family) })
    guard let node = host.routesToServices.flatMap(topology.node) else { return }
    try worker.run(in: namespace) {
      var batch = RouteBatch()
      for network in topology.serviceNetworks where plan.families.contains(network.family) {
        guard let gateway = node.addresses.first(where: { $0.family == network.family }) else { continue }
        batch.addRoute(
          to: network.destination, via: gateway.bytes, dev: AddressPlan.uplink, onlink: true,
          source: host.addresses.source(for: gateway))
      }
      try batch.send()
    }
  }

  // MARK: - Nodes

  private func configure(_ node: Topology.NodePlace, _ index: Int) throws {
    guard let namespace = nodes[node.name] else { return }
    try worker.run(in: namespace) {
      try disableRedirectsAndDAD()
      try NodeSysctls.set(
        families: plan.families, bridgeNetfilter: bridgeNetfilter, liftICMPLimits: liftICMPLimits)
      try createTunnels(of: node)
      var batch = RouteBatch()
      let own = node.addresses.filter { plan.families.contains($0.family) }
      let mtu = plan.podMTU(on: node)
      stationAddresses(&batch, own: own)
      // Before the other routes and the bridge: an IPv6 gateway must not yet be behind another interface. The bridge
      // also makes the tunnel's address a broadcast or anycast address, and that entry must come second.
      tunnelRoutes(&batch, of: node)
      stationRoutes(&batch, own: own, of: node)
      defaultRoutes(&batch, own: own)
      announcedRoutes(&batch, own: own, of: node.name)
      batch.createBridge("cni0", index: AddressPlan.bridge, mac: plan.bridgeMAC(ofNode: index), mtu: mtu)
      for own in node.bridge where plan.families.contains(own.address.family) {
        batch.addAddress(own.address.bytes, prefix: UInt8(own.prefixLength), to: AddressPlan.bridge)
      }
      for family in plan.families where !node.bridge.contains(where: { $0.address.family == family }) {
        batch.addAddress(
          plan.gateway(of: node, family).bytes, prefix: UInt8(family.bitWidth), to: AddressPlan.bridge)
      }
      batch.bringUp(AddressPlan.bridge)
      localDNS(&batch, of: node)
      for (number, id) in node.pods.enumerated() {
        guard let pod = pods[id], let place = topology.pods[id] else { continue }
        let port = AddressPlan.firstPort + Int32(number)
        batch.createVeth(
          VethEnd("veth\(number)", index: port), master: AddressPlan.bridge,
          peer: VethEnd("eth0", index: AddressPlan.uplink, mac: plan.mac(of: id)), in: pod, mtu: mtu)
        batch.setHairpin(port)
        batch.bringUp(port)
        for own in place.addresses {
          batch.addNeighbour(own.address.bytes, mac: plan.mac(of: id), dev: AddressPlan.bridge)
          if !node.bridge.contains(where: { $0.cidr.contains(own.address) }) {
            batch.addRoute(to: own.address.destination, dev: AddressPlan.bridge)
          }
        }
      }
      try batch.send()
    }
  }

  /// Adds the device of NodeLocal DNS. There it is a dummy device, which not every kernel has; a bridge without ports does
  /// the same.
  private func localDNS(_ batch: inout RouteBatch, of node: Topology.NodePlace) {
    let addresses = node.privateAddresses.filter { plan.families.contains($0.family) }
    if addresses.isEmpty { return }
    batch.createBridge("nodelocaldns", index: AddressPlan.localDNS)
    for address in addresses {
      batch.addAddress(address.bytes, prefix: UInt8(address.family.bitWidth), to: AddressPlan.localDNS)
    }
    batch.bringUp(AddressPlan.localDNS)
  }

  /// Adds a node's route to everything else, such as a service's address before its translation. It leads to the
  /// control host, which forwards nothing.
  private func defaultRoutes(_ batch: inout RouteBatch, own: [IPAddress]) {
    for gateway in plan.controlAddresses where own.contains(where: { $0.family == gateway.family }) {
      batch.addRoute(
        to: .all(gateway.family.netlink), via: gateway.bytes, dev: AddressPlan.uplink, onlink: true,
        source: own.source(for: gateway))
    }
  }

  /// Adds routes to load balancers' addresses, through the node that answers for each.
  private func announcedRoutes(_ batch: inout RouteBatch, own: [IPAddress], of station: String? = nil) {
    for (address, name) in topology.announcers where name != station && plan.families.contains(address.family) {
      guard let gateway = topology.node(name)?.addresses.first(where: { $0.family == address.family }) else { continue }
      batch.addRoute(
        to: address.destination, via: gateway.bytes, dev: AddressPlan.uplink, onlink: true,
        source: own.source(for: gateway))
    }
  }

  // MARK: - Pods

  /// A pod reaches pods of its block over the bridge, and everything else through its node, as with CNI's bridge
  /// plugin.
  private func configurePods(of node: Topology.NodePlace) throws {
    guard let index = topology.nodes.firstIndex(where: { $0.name == node.name }) else { return }
    for id in node.pods {
      guard let namespace = pods[id], let place = topology.pods[id] else { continue }
      try worker.run(in: namespace) {
        try disableRedirectsAndDAD()
        if topology.forwarders.contains(id) {
          try NodeSysctls.setForwarding(families: plan.families, liftICMPLimits: liftICMPLimits)
        }
        var batch = RouteBatch()
        batch.bringUp(1)
        for own in place.addresses {
          batch.addAddress(own.address.bytes, prefix: UInt8(own.prefixLength), to: AddressPlan.uplink)
        }
        batch.bringUp(AddressPlan.uplink)
        for family in Set(place.addresses.map(\.address.family)).sorted() {
          let gateway = plan.gateway(of: node, family)
          batch.addNeighbour(gateway.bytes, mac: plan.bridgeMAC(ofNode: index), dev: AddressPlan.uplink)
          batch.addRoute(
            to: .all(family.netlink), via: gateway.bytes, dev: AddressPlan.uplink, onlink: true)
        }
        for other in node.pods where other != id {
          for address in topology.pods[other]?.addresses.map(\.address) ?? []
          where place.addresses.contains(where: { $0.cidr.contains(address) }) {
            batch.addNeighbour(address.bytes, mac: plan.mac(of: other), dev: AddressPlan.uplink)
          }
        }
        try batch.send()
      }
    }
  }

  /// Disables redirects and duplicate address detection, or IPv6 as a whole if the cluster has none.
  private func disableRedirectsAndDAD() throws {
    // An ICMP redirect caused by one probe would send the next one along another path (accept_redirects, ip-sysctl).
    // Few calls: with thousands of namespaces each takes the kernel a millisecond.
    for family in plan.families.map({ $0 == .v4 ? "ipv4" : "ipv6" }) {
      for scope in ["all", "eth0"] {
        _ = try Sysctl.writeIfPresent("net/\(family)/conf/\(scope)/accept_redirects", "0")
      }
    }
    if plan.families.contains(.v6) {
      for scope in ["all", "default"] { _ = try Sysctl.writeIfPresent("net/ipv6/conf/\(scope)/accept_dad", "0") }
    } else {
      // Holds for all interfaces, and for later ones.
      _ = try Sysctl.writeIfPresent("net/ipv6/conf/all/disable_ipv6", "1")
    }
  }
}

extension RouteBatch {
  /// Sends the batch in the namespace of the calling thread.
  fileprivate func send() throws { try send(in: try NetlinkSocket(.route)) }
}

extension IPAddress {
  fileprivate var destination: RouteDestination { RouteDestination(bytes, prefix: UInt8(family.bitWidth)) }
}

extension CIDR {
  fileprivate var destination: RouteDestination { RouteDestination(network.bytes, prefix: UInt8(prefixLength)) }
}

extension [IPAddress] {
  fileprivate func source(for address: IPAddress) -> [UInt8]? { first { $0.family == address.family }?.bytes }
}
