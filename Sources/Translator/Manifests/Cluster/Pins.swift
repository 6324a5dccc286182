internal import NetpolModel

/// What the objects of a cluster have, for those of its variant to have the same: nodes, addresses, ports.
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

  /// The pod of the base, where a pod of the variant that states no address can have the same.
  func addresses(for manifest: PodManifest) -> Pod? {
    guard !manifest.hasStatus, !manifest.pod.hostNetwork, let pod = pods[manifest.pod.id], !pod.hostNetwork,
      pod.node == manifest.pod.node, !pod.podIPs.isEmpty
    else { return nil }
    return pod
  }
}
