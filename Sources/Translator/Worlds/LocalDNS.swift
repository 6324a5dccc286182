internal import NetpolModel
internal import Statistics

/// Adds NodeLocal DNS on some nodes, at 169.254.20.10 and perhaps at a Service's ClusterIP.
///
/// The addresses are part of the places.
enum LocalDNS {
  static func add(to cluster: inout Cluster, _ placing: inout SplitMix64) {
    guard placing.chance(20), let first = cluster.families.first else { return }
    // The ClusterIP that the first Service gets, whatever it is.
    let usual = first == .v4 ? IPAddress(v4: 0x0a2b_0010) : IPAddress(v6: 0xfd43 << 112 | 0x10)
    let own = first == .v4 ? IPAddress(v4: 0xa9fe_140a) : IPAddress(v6: 0xfd00_0169 << 96 | 0x10)
    let addresses = [own] + (placing.chance(70) ? [usual] : [])
    for node in cluster.nodes where placing.chance(75) {
      var pod = Pod(
        id: PodID("ns2", "node-local-dns-\(node.name)"), node: node.name, hostNetwork: true, podIPs: node.addresses,
        hostIP: node.addresses.first)
      pod.localDNS = addresses
      cluster.pods.append(pod)
    }
    cluster.pods.sort { $0.id < $1.id }
    for index in cluster.services.indices where cluster.services[index].clusterIPs.contains(usual) {
      cluster.services[index].ports[0].port = 53
    }
  }
}
