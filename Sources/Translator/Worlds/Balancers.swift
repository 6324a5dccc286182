internal import NetpolModel
internal import Statistics

/// Adds the svclb pods of k3s's servicelb for one Service of type LoadBalancer.
///
/// The pods and the addresses in the Service's status are part of the places, so `placing` decides about them.
enum Balancers {
  static func add(to cluster: inout Cluster, _ placing: inout SplitMix64, _ random: inout SplitMix64) {
    guard placing.chance(40), let index = cluster.services.firstIndex(where: { $0.kind == .loadBalancer }) else {
      return
    }
    let isListed = placing.chance(60)
    let listed = placing.some(placing.number(1...cluster.nodes.count), of: cluster.nodes)
    if isListed { cluster.services[index].loadBalancerIPs = listed.flatMap(\.addresses).map { .init($0) } }
    let service = cluster.services[index]
    let namespace = WorldPlaces.namespace(&placing)
    for node in cluster.nodes where placing.chance(80) {
      let addresses = node.podCIDRs.compactMap { freeAddress(in: $0, cluster, &placing) }
      if addresses.isEmpty { continue }
      var pod = Pod(
        id: PodID(namespace, "svclb-\(service.id.name)-\(node.name)"),
        labels: [
          "svccontroller.k3s.cattle.io/svcname": service.id.name,
          "svccontroller.k3s.cattle.io/svcnamespace": service.id.namespace,
        ],
        node: node.name, podIPs: addresses, hostIP: node.addresses.first,
        ports: service.ports.map { ContainerPort(number: $0.port, transport: $0.transport) })
      pod.hostPorts = service.ports.map { HostPort(TransportPort($0.transport, $0.port)) }
      pod.forwards = service.ports.map { forward($0, of: service, on: node, &random) }
      cluster.pods.append(pod)
    }
    cluster.pods.sort { $0.id < $1.id }
    if cluster.settings.loadBalancing == nil, cluster.pods.contains(where: \.isServiceLB) {
      cluster.settings.loadBalancing = .servicelb
    }
  }

  private static func freeAddress(in block: CIDR, _ cluster: Cluster, _ placing: inout SplitMix64) -> IPAddress? {
    let taken = Set(cluster.pods.flatMap(\.podIPs))
    return placing.one(of: [5, 6, 9].map { block.network.advanced(by: $0) }.filter { !taken.contains($0) })
  }

  private static func forward(
    _ port: Service.Port, of service: Service, on node: Node, _ random: inout SplitMix64
  ) -> PodForward {
    let own = service.loadBalancerSourceRanges
    let some = ["192.168.20.0/24", "10.42.0.0/16", "10.42.0.1/32", "fd00:20::/64", "fd42::/32"].compactMap { CIDR($0) }
    let all = ["0.0.0.0/0", "::/0"].compactMap { CIDR($0) }
    let ranges = random.chance(20) ? random.some(random.number(1...3), of: some) : own.isEmpty ? all : own
    let asked = TransportPort(port.transport, port.port)
    if service.externalTrafficPolicy == .local, let number = port.nodePort {
      return PodForward(asked, from: ranges, to: IPFamily.allCases.compactMap(node.address), port: number)
    }
    return PodForward(asked, from: ranges, to: service.clusterIPs, port: port.port)
  }
}
