extension Cluster {
  /// The same cluster without what does nothing to packets between these addresses.
  ///
  /// Of the services, those stay that have one of the addresses, or one to which such a service leads, and so on. If some
  /// address may be a node's own, also all that answer at ports of nodes. With `narrowsPolicies`, of the policies those stay
  /// that select a pod with one of these addresses. A kube-router may let two policies share their chains (namespace and name
  /// without a separator), and one with a bad annotation may stop the enforcement of all: these stay too.
  public func reached(from addresses: some Sequence<IPAddress>, narrowsPolicies: Bool) -> Cluster {
    var byAddress: [IPAddress: [Int]] = [:]
    for (number, service) in services.enumerated() {
      for address in service.clusterIPs + service.announcedAddresses { byAddress[address, default: []].append(number) }
    }
    let slices = slicesByService
    var podsAt: [IPAddress: [Int]] = [:]
    for (number, pod) in pods.enumerated() where !pod.hostNetwork {
      for address in pod.podIPs { podsAt[address, default: []].append(number) }
    }
    var (reached, seen) = (Set<Int>(), Set<IPAddress>())
    var open = Array(addresses)
    var meetsNodePorts = false
    while let address = open.popLast() {
      guard seen.insert(address).inserted else { continue }
      var found = byAddress[address] ?? []
      let pods = podsAt[address] ?? []
      if found.isEmpty, pods.isEmpty, !meetsNodePorts {
        meetsNodePorts = true
        found = services.indices.filter { services[$0].ports.contains { $0.nodePort != nil } }
        // Ports of nodes may also be pods' host ports.
        open += self.pods.filter { !$0.hostPorts.isEmpty }.flatMap(\.podIPs)
      }
      for number in found where reached.insert(number).inserted {
        open += slices[services[number].id]?.flatMap(\.members).map(\.address) ?? []
      }
      for forward in pods.flatMap({ self.pods[$0].forwards }) {
        open += IPFamily.allCases.compactMap(forward.destination)
      }
    }
    var part = self
    part.services = reached.sorted().map { services[$0] }
    let names = Set(part.services.map(\.id))
    part.endpointSlices = endpointSlices.filter { names.contains(NamespacedName($0.id.namespace, $0.service)) }
    if narrowsPolicies { part.policies = policies(selecting: seen.flatMap { podsAt[$0] ?? [] }.map { pods[$0] }) }
    return part
  }

  private func policies(selecting pods: [Pod]) -> [NetworkPolicy] {
    let podsIn = Dictionary(grouping: pods, by: \.id.namespace)
    let isActing = { (policy: NetworkPolicy) in
      policy.annotations.keys.contains { $0.hasPrefix("kube-router.io/") }
        || podsIn[policy.id.namespace]?.contains { policy.podSelector.matches($0.labels) } == true
    }
    let joined = { (policy: NetworkPolicy) in policy.id.namespace + policy.id.name }
    let acting = Set(policies.filter(isActing).map(joined))
    return policies.filter { acting.contains(joined($0)) }
  }
}
