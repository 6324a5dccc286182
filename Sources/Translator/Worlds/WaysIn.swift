internal import Algorithms
internal import NetpolModel
internal import Statistics

/// Adds what else decides where a packet goes: host ports, zones and hints, kube-proxy's flags, routes to ClusterIPs.
///
/// It draws from random streams of its own, so that a seed gives the same pods, services and policies as without them.
enum WaysIn {
  static func add(to cluster: inout Cluster, seed: UInt64) {
    var placing = SplitMix64(seed: seed / World.seedsOnOnePlace ^ 0x706c_6163)
    for index in cluster.externalHosts.indices where placing.chance(30) {
      cluster.externalHosts[index].routesToServices = placing.one(of: cluster.nodes)?.name
    }
    if placing.chance(40) {
      for index in cluster.nodes.indices {
        cluster.nodes[index].labels["topology.kubernetes.io/zone"] = placing.one(of: zones)
      }
    }
    var random = SplitMix64(seed: seed ^ 0x7761_7973)
    if random.chance(30) { cluster.settings.hostPorts = .portmapNftables }
    if cluster.settings.loadBalancerAnnouncer == nil, random.chance(50) {
      cluster.settings.loadBalancing = random.one(of: [.metallbL2, .metallbBGP])
    }
    addFlags(&cluster, &random)
    var modes = SplitMix64(seed: seed ^ 0x6d6f_6465)
    if modes.chance(35) { useNftables(&cluster, &modes) }
    if cluster.nodes.contains(where: { $0.zone != nil }) { addHints(&cluster, &random) }
    for index in cluster.pods.indices where random.chance(35) {
      cluster.pods[index].hostPorts = hostPorts(of: cluster.pods[index], in: cluster, &random)
    }
    LocalDNS.add(to: &cluster, &placing)
    Balancers.add(to: &cluster, &placing, &random)
  }

  /// Some of the pod's ports, each at most once. Two pods of a node rarely want the same one.
  static func hostPorts(of pod: Pod, in cluster: Cluster, _ random: inout SplitMix64) -> [HostPort] {
    if pod.hostNetwork { return [] }
    var found: [HostPort] = []
    let ports = pod.ports.filter { !$0.isOfSidecar }.uniqued(on: { TransportPort($0.transport, $0.number) })
    for port in ports where random.chance(60) {
      let number = random.one(of: numbers, else: 8080)
      if found.contains(where: { $0.port.port == number }) { continue }
      let address = random.chance(35) ? random.one(of: addresses(of: pod, in: cluster)) : nil
      found.append(HostPort(TransportPort(port.transport, number), at: address, to: port.number))
    }
    return found
  }

  /// Two that are NodePorts of some worlds.
  private static let numbers: [UInt16] = [8080, 8081, 8082, 9090, 9091, 443, 30_000, 30_080]

  private static func addresses(of pod: Pod, in cluster: Cluster) -> [IPAddress] {
    let own = pod.node.flatMap(cluster.node)
    let families = Set(pod.podIPs.map(\.family))
    let any = families.sorted().map { IPAddress(family: $0, bits: 0) }
    let bridges = (own?.podCIDRs ?? []).map { $0.network.advanced(by: 1) }
    return (own?.addresses ?? []) + any + bridges + [.loopback(.v4)]
  }

  private static func addFlags(_ cluster: inout Cluster, _ random: inout SplitMix64) {
    if random.chance(10) { cluster.settings.kubeProxy.masqueradeAll = true }
    if random.chance(10) { cluster.settings.kubeProxy.knowsClusterCIDR = false }
    if random.chance(10) {
      let networks = ["192.168.20.0/24", "10.42.0.0/16", "fd00:20::/64"].compactMap { CIDR($0) }
      cluster.settings.kubeProxy.nodePortAddresses = random.some(random.number(1...2), of: networks)
    }
  }

  /// NodePorts then answer at the primary addresses only, unless a network says otherwise.
  private static func useNftables(_ cluster: inout Cluster, _ random: inout SplitMix64) {
    cluster.settings.kubeProxy.mode = .nftables(random.one(of: KubeProxyRelease.allCases, else: .latest))
    if cluster.settings.kubeProxy.nodePortAddresses.isEmpty, random.chance(40) {
      cluster.settings.kubeProxy.nodePortAddresses = IPFamily.allCases.map {
        CIDR(IPAddress(family: $0, bits: 0), prefixLength: 0)
      }
    }
  }

  private static let zones = ["a", "b"]

  private static func addHints(_ cluster: inout Cluster, _ random: inout SplitMix64) {
    for index in cluster.services.indices where cluster.services[index].kind != .externalName {
      if random.chance(40) {
        cluster.services[index].trafficDistribution = random.chance(50) ? .preferSameZone : .preferSameNode
      }
    }
    // Mostly all members have hints, since one without makes all others count for nothing.
    for slice in cluster.endpointSlices.indices where random.chance(60) {
      for index in cluster.endpointSlices[slice].members.indices where random.chance(90) {
        cluster.endpointSlices[slice].members[index].zoneHints = Set(random.some(random.number(1...2), of: zones))
        if random.chance(30) {
          let nodes = cluster.nodes.map(\.name)
          cluster.endpointSlices[slice].members[index].nodeHints = Set(random.some(1, of: nodes))
        }
      }
    }
  }
}
