internal import NetpolModel

extension Cluster {
  /// What a user of k3s's servicelb should know of the svclb pods: policies that select them decide about only one of
  /// the two ways to the Service.
  var serviceLBNotes: [Note] {
    let balancers = pods.filter { !$0.forwards.isEmpty }
    // With portmap's nftables, host ports come before kube-proxy's addresses.
    if balancers.isEmpty || settings.hostPorts == .portmapNftables { return [] }
    let selecting = policies.filter { policy in
      balancers.contains { $0.id.namespace == policy.id.namespace && policy.podSelector.matches($0.labels) }
    }
    if selecting.isEmpty { return [] }
    return [
      Note(
        .warning,
        "policies select svclb pods: \(selecting.map(\.id.description).abridged(to: 5)); they decide about packets to node "
          + "addresses that the Service's status does not list, not about the listed ones, which kube-proxy takes")
    ]
  }
}
