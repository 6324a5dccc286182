internal import NetpolModel

/// The nodes, addresses and ports of a base cluster, so that a variant's objects keep them.
struct Pins {
  let nodes: [Node]
  let pods: [PodID: Pod]
  let services: [NamespacedName: Service]

  static let none = Pins(Cluster())

  init(_ cluster: Cluster) {
    nodes = cluster.nodes
    pods = Dictionary(cluster.pods.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    services = Dictionary(cluster.services.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The base cluster's ClusterIPs of a Service in the families in which it states none.
  func clusterIPs(of manifest: ServiceManifest) -> [IPAddress] {
    guard manifest.wantsClusterIP, let pinned = services[manifest.service.id] else { return [] }
    return pinned.clusterIPs.filter { address in !manifest.statedIPs.contains { $0.value.family == address.family } }
  }

  /// The base cluster's pod whose addresses the variant's pod keeps. `nil` if it can't keep them, for example because
  /// it has a status or is on another node.
  func addresses(for manifest: PodManifest) -> Pod? {
    guard !manifest.hasStatus, !manifest.pod.hostNetwork, let pod = pods[manifest.pod.id], !pod.hostNetwork,
      pod.node == manifest.pod.node, !pod.podIPs.isEmpty
    else { return nil }
    return pod
  }
}
