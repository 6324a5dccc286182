internal import NetpolModel
internal import Statistics

/// Random services of every kind, with ports, addresses and selectors, or with hand-written slices.
struct ServiceOffers {
  private let families: [IPFamily]
  private let nodePorts: PortRange

  init(_ cluster: Cluster, _ families: [IPFamily]) {
    self.families = families
    nodePorts = cluster.settings.nodePorts
  }

  func add(_ placed: Service, to cluster: inout Cluster, _ random: inout SplitMix64) {
    var service = placed
    let index = UInt16(cluster.services.count)
    let isServed = service.kind != .externalName
    if isServed { choose(&service, cluster, &random) }
    service.ports = ports(service, index, cluster, &random)
    let isHeadless = service.kind == .clusterIP && service.externalIPs.isEmpty && random.chance(15)
    if service.kind != .externalName, !isHeadless {
      let some = families.count == 2 && random.chance(30) ? [random.one(of: families, else: .v4)] : families
      service.clusterIPs = some.map { family in
        // The first addresses of the range are reserved for Services that choose their own.
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
      // Often the nodes' network, because a pod's packet may arrive with its node's address.
      let ranges: [IPFamily: [String]] = [
        .v4: ["192.168.20.0/24", "192.168.20.0/24", "10.42.0.0/16", "192.168.20.99/32"],
        .v6: ["fd00:20::/64", "fd00:20::/64", "fd42::/32", "fd00:20::99/128"],
      ]
      service.loadBalancerSourceRanges = families.compactMap { random.one(of: ranges[$0] ?? []) }
        .compactMap { CIDR($0) }
    }
    if isServed, service.selector == nil { cluster.endpointSlices += slices(of: service, cluster, &random) }
    cluster.endpointSlices.sort { $0.id < $1.id }
    cluster.services.append(service)
  }

  private func ports(_ service: Service, _ index: UInt16, _ cluster: Cluster, _ random: inout SplitMix64) -> [Service
    .Port]
  {
    let hasNodePorts = service.kind == .nodePort || service.kind == .loadBalancer
    let exposed = cluster.pods.filter(service.selects).flatMap(\.ports)
    return (0..<random.number(1...2)).map { number in
      // Ports from both ends of the range are used.
      let offset = index * 2 + UInt16(number)
      var port = Service.Port(
        name: "p\(number)", port: 80 + UInt16(number),
        targetPort: .number(random.one(of: RandomWords.numbers, else: 80)),
        transport: RandomWords.transport(&random),
        nodePort: hasNodePorts ? (offset % 2 == 0 ? nodePorts.first + offset : nodePorts.last - offset) : nil)
      if random.chance(50), let target = random.one(of: exposed) {
        port.transport = target.transport
        port.targetPort = target.name.map { .name($0) } ?? .number(target.number)
      } else if random.chance(10) {
        port.targetPort = .name("nobody")
      }
      return port
    }
  }

  /// Usually selects by a label that some pod has.
  private func choose(_ service: inout Service, _ cluster: Cluster, _ random: inout SplitMix64) {
    guard random.chance(85) else { return }
    let own = cluster.pods.filter { $0.id.namespace == service.id.namespace }
    let label = random.one(of: own.flatMap { pod in pod.labels.sorted { $0.key < $1.key } })
    service.selector = label.map { [$0.key: $0.value] } ?? ["app": "web"]
  }

  /// Slices as someone other than the controllers might write them, with terminating members.
  private func slices(of service: Service, _ cluster: Cluster, _ random: inout SplitMix64) -> [EndpointSlice] {
    let members = cluster.pods.filter { pod in
      pod.id.namespace == service.id.namespace && !pod.hostNetwork && !pod.phase.isTerminal
    }
    return families.map { family in
      EndpointSlice(
        id: NamespacedName(service.id.namespace, "\(service.id.name)-\(family.rawValue.lowercased())"),
        service: service.id.name, family: family,
        ports: service.ports.map { port in
          .init(name: port.name, transport: port.transport, port: random.one(of: RandomWords.numbers, else: 80))
        },
        members: members.compactMap { pod in
          guard let address = pod.address(family) else { return nil }
          let isReady = random.chance(60)
          return .init(
            address, isReady: isReady, isServing: isReady || random.chance(60), isTerminating: !isReady,
            node: pod.node, pod: pod.id)
        })
    }
  }
}
