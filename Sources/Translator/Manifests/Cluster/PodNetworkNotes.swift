internal import NetpolModel

extension Cluster {
  /// One note for each family of which the network of all pods is not known.
  var podNetworkNotes: [Note] {
    let families = nodes.flatMap(\.podCIDRs).map(\.family) + strayPodAddresses.values.joined().map(\.family)
    return Set(families).sorted().compactMap { family in
      let networks = podNetworks(family)
      let remedy = "set clusterCIDRs in a Cluster document if kube-proxy has a --cluster-cidr"
      switch networks.count {
      case 0:
        return Note(.note, "no one \(family.rawValue) network holds just the pods; nothing is masqueraded; \(remedy)")
      case 1: return nil
      default:
        let list = networks.map(\.description).abridged(to: 5)
        return Note(
          .note,
          "pods are in several \(family.rawValue) networks: \(list); kube-proxy is assumed to know none; \(remedy)")
      }
    }
  }
}
