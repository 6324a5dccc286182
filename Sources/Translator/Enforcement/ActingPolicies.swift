internal import NetpolModel

extension Cluster {
  /// The same cluster without the policies that change nothing for packets on these nodes: those that select none of their
  /// pods.
  ///
  /// kube-router takes a pod with an address of a node as `hostIP` for that node's. Two policies may share their chains
  /// (namespace and name without a separator), and one with a bad annotation may stop the enforcement of all.
  func withPolicies(actingOn nodes: [Node]) -> Cluster {
    let names = Set(nodes.map(\.name))
    let addresses = Set(nodes.flatMap(\.addresses))
    let pods = pods.filter { pod in
      pod.node.map(names.contains) == true || pod.hostIP.map(addresses.contains) == true
    }
    let podsIn = Dictionary(grouping: pods, by: \.id.namespace)
    let isActing = { (policy: NetworkPolicy) in
      policy.annotations.keys.contains { $0.hasPrefix("kube-router.io/") }
        || podsIn[policy.id.namespace]?.contains { policy.podSelector.matches($0.labels) } == true
    }
    let joined = { (policy: NetworkPolicy) in policy.id.namespace + policy.id.name }
    let acting = Set(policies.filter(isActing).map(joined))
    var part = self
    part.policies = policies.filter { acting.contains(joined($0)) }
    return part
  }
}
