extension Cluster {
  /// More networks than this say nothing about how the cluster is configured.
  private static let mostPodNetworks = 8
  /// k3s's network of all pods.
  private static let usualPodNetwork = CIDR(IPAddress(v4: 0x0a2a_0000), prefixLength: 16)

  /// The networks of all pods of a family, as flannel is configured. Mostly one: those in the settings; or else k3s's
  /// 10.42.0.0/16 if it holds every pod CIDR and every pod, or else the longest prefix that does. Several if one would
  /// hold a node, an external host or a ClusterIP too, or addresses that no cluster has to itself. Empty if they are not
  /// known.
  public func podNetworks(_ family: IPFamily) -> [CIDR] { podNetworks(family, strayPodAddresses) }

  /// The same with `strays`, which are looked for among all pods.
  public func podNetworks(_ family: IPFamily, _ strays: [String: [IPAddress]]) -> [CIDR] {
    if let given = settings.clusterCIDRs { return given.filter { $0.family == family } }
    let parts = nodes.flatMap(\.podCIDRs) + strays.values.joined().map { CIDR($0) }
    if family == .v4, parts.contains(where: { $0.family == .v4 }),
      parts.allSatisfy({ $0.family != .v4 || Self.usualPodNetwork.contains($0) })
    {
      return [Self.usualPodNetwork]
    }
    let others =
      nodes.flatMap(\.addresses) + externalHosts.flatMap(\.addresses) + services.flatMap(\.clusterIPs)
    let networks = enclosingNetworks(of: parts, family, avoiding: others.map { CIDR($0) })
    // No rule can say "not in 0.0.0.0/0".
    return networks.count > Self.mostPodNetworks || networks.contains { $0.prefixLength == 0 } ? [] : networks
  }

  /// The network of all pods of a family, as kube-proxy is configured. `nil` if there isn't exactly one.
  public func clusterCIDR(_ family: IPFamily) -> CIDR? {
    let networks = podNetworks(family)
    return networks.count == 1 ? networks.first : nil
  }

  /// By node: the addresses of its pods outside its pod CIDRs, in the order of the pods.
  public var strayPodAddresses: [String: [IPAddress]] {
    let blocks = Dictionary(nodes.map { ($0.name, $0.podCIDRs) }) { first, _ in first }
    var result: [String: [IPAddress]] = [:]
    for pod in pods where !pod.hostNetwork && !pod.phase.isTerminal {
      guard let node = pod.node, let own = blocks[node] else { continue }
      for address in pod.podIPs where !own.contains(where: { $0.contains(address) }) {
        result[node, default: []].append(address)
      }
    }
    return result
  }
}
