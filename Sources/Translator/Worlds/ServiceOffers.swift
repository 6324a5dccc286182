internal import NetpolModel

/// Services of every kind, with ports, addresses and selectors, or with slices that somebody else wrote.
struct ServiceOffers {
  private let families: [IPFamily]
  private let nodePorts: PortRange

  init(_ cluster: Cluster, _ families: [IPFamily]) {
    self.families = families
    nodePorts = cluster.settings.nodePorts
  }

  func add(_ ground: Service, to cluster: inout Cluster, _ random: inout SplitMix64) {
    var service = ground
    let index = UInt16(cluster.services.count)
    service.ports = ports(service, index, &random)
    let isHeadless = service.kind == .clusterIP && service.externalIPs.isEmpty && random.chance(15)
    if service.kind != .externalName, !isHeadless {
      let some = families.count == 2 && random.chance(30) ? [random.one(of: families, else: .v4)] : families
      service.clusterIPs = some.map { family in
        // The first addresses of the range are for those who choose their own.
        family == .v4
          ? IPAddress(v4: 0x0a2b_0010 + UInt32(index)) : IPAddress(v6: 0xfd43 << 112 | UInt128(0x10 + index))
      }
    }
    if service.kind == .nodePort || service.kind == .loadBalancer || !service.externalIPs.isEmpty {
      if random.chance(40) { service.externalTrafficPolicy = .local }
    }
    if random.chance(20) { service.internalTrafficPolicy = .local }
    service.hasClientAffinity = random.chance(10)
    service.publishesNotReadyAddresses = random.chance(15)
    if service.kind == .loadBalancer, random.chance(50) {
      let ranges = ["192.168.20.0/24", "10.42.0.0/16", "192.168.20.99/32", "fd00:20::/64", "fd42::/32"]
      service.loadBalancerSourceRanges = random.some(random.number(1...2), of: ranges.compactMap { CIDR($0) })
        .filter { families.contains($0.family) }
    }
    if service.kind != .externalName { choose(&service, &cluster, &random) }
    cluster.services.append(service)
  }

  private func ports(_ service: Service, _ index: UInt16, _ random: inout SplitMix64) -> [Service.Port] {
    let hasNodePorts = service.kind == .nodePort || service.kind == .loadBalancer
    return (0..<random.number(1...2)).map { number in
      let targets: [PortReference] =
        Wording.portNames.map { .name($0) } + [.number(80), .number(81), .number(8080)]
      // Both ends of the range are somebody's.
      let offset = index * 2 + UInt16(number)
      return Service.Port(
        name: "p\(number)", port: 80 + UInt16(number), targetPort: random.one(of: targets, else: .number(80)),
        transport: Wording.transport(&random),
        nodePort: hasNodePorts ? (offset % 2 == 0 ? nodePorts.first + offset : nodePorts.last - offset) : nil)
    }
  }

  /// By labels that some pod has, mostly.
  private func choose(_ service: inout Service, _ cluster: inout Cluster, _ random: inout SplitMix64) {
    let own = cluster.pods.filter { $0.id.namespace == service.id.namespace }
    let label = random.one(of: own.flatMap { pod in pod.labels.sorted { $0.key < $1.key } })
    if random.chance(85) {
      service.selector = label.map { [$0.key: $0.value] } ?? ["app": "web"]
      return
    }
    let members = own.filter { !$0.hostNetwork && !$0.phase.isTerminal && !$0.podIPs.isEmpty }
    for family in families {
      cluster.endpointSlices.append(
        EndpointSlice(
          id: NamespacedName(service.id.namespace, "\(service.id.name)-\(family.rawValue.lowercased())"),
          service: service.id.name, family: family,
          ports: service.ports.map { port in
            .init(name: port.name, transport: port.transport, port: random.one(of: Wording.numbers, else: 80))
          },
          members: members.compactMap { pod in
            guard let address = pod.address(family) else { return nil }
            let isReady = random.chance(60)
            return .init(
              address, isReady: isReady, isServing: isReady || random.chance(60), isTerminating: !isReady,
              node: pod.node, pod: pod.id)
          }))
    }
    cluster.endpointSlices.sort { $0.id < $1.id }
  }
}
