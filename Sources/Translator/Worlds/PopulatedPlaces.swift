internal import NetpolModel
internal import Statistics

extension WorldPlaces {
  /// Adds labels, ports, services and policies to the places.
  func populated(_ random: inout SplitMix64) -> Cluster {
    var settings = settings
    let serviceCIDRs: [IPFamily: CIDR?] = [.v4: CIDR("10.43.0.0/16"), .v6: CIDR("fd43::/112")]
    settings.serviceCIDRs = families.compactMap { serviceCIDRs[$0] ?? nil }
    if random.chance(15) { settings.nodePorts = PortRange(30_080, 30_090) }
    // With default-deny, a pod without a chain would get no replies, which a first packet can't show.
    let isPoliced = pods.allSatisfy { pod in
      pod.podIPs.isEmpty || nodes.contains { $0.name == pod.node && pod.hostIP.map($0.addresses.contains) == true }
    }
    settings.defaultDeny = random.chance(10) && isPoliced
    var cluster = Cluster(nodes: nodes, pods: pods, externalHosts: externalHosts, settings: settings)
    cluster.namespaces = Self.namespaces.map { name in
      Namespace(name: name, labels: RandomWords.namespaceLabels(&random))
    }
    for index in cluster.pods.indices {
      cluster.pods[index].labels = RandomWords.labels(&random)
      cluster.pods[index].ports = RandomWords.containerPorts(&random)
      if random.chance(15) || cluster.pods[index].phase == .pending { cluster.pods[index].isReady = false }
    }
    let offers = ServiceOffers(cluster, families)
    for service in services { offers.add(service, to: &cluster, &random) }
    let writer = PolicyWriter(cluster)
    let count = random.one(of: [1, 1, 2, 2, 3, 4], else: 1)
    cluster.policies = (0..<count).map { writer.policy($0, &random) }.sorted { $0.id < $1.id }
    return cluster
  }
}
