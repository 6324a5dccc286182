public import NetpolModel

extension Cluster {
  /// The cluster with a machine for each asked address that nobody has. Also returns those that are hosts outside, and
  /// the addresses of strangers.
  ///
  /// 8.8.8.8 becomes a host outside, and so does 169.254.169.254, a cloud's metadata service. Policies then decide about
  /// packets, not the lack of a machine. A host that is asked as a sender has routes to the pods. A free address of a
  /// node's pod CIDR becomes a stranger: a new pod on that node, which nobody knows yet.
  public func addingHosts(sending senders: [IPAddress], receiving receivers: [IPAddress])
    -> (cluster: Cluster, added: [ExternalHost])
  {
    if senders.isEmpty, receivers.isEmpty { return (self, []) }
    let topology = Topology(self)
    let podIPs = Set(pods.filter { !$0.phase.isTerminal }.flatMap(\.podIPs))
    let sending = Set(senders)
    let privates = Set(topology.nodes.flatMap(\.privateAddresses))
    let free = sending.union(receivers).sorted().filter { address in
      topology.owner(of: address) == nil && !privates.contains(address) && serviceEndpoint(at: address) == nil
        && !podIPs.contains(address) && address.obstacleOutside == nil
    }
    var cluster = self
    for address in free { cluster.strangers[address] = node(ofStranger: address) }
    let hosts = free.filter { cluster.strangers[$0] == nil && whyNobody(has: $0) == nil }.map {
      // No host of a Cluster document has such a name: it must be a DNS label.
      ExternalHost(name: $0.description, addresses: [$0], routesToPods: sending.contains($0))
    }
    cluster.externalHosts += hosts
    return (cluster, hosts)
  }

  /// The node on whose bridge a new pod could get a free address. `nil` if none gives it to pods.
  private func node(ofStranger address: IPAddress) -> String? {
    let blocks = bridgeBlocks
    let found = nodes.map(\.name).filter { blocks[$0]?.contains { $0.contains(address) } == true }
    guard found.count == 1, let block = blocks[found[0]]?.first(where: { $0.contains(address) }) else { return nil }
    // The first and the last address of a block, and the bridge's, are no pod's.
    let isEdge = [block.firstAddress, block.firstAddress.advanced(by: 1), block.lastAddress].contains(address)
    return isEdge || settings.serviceCIDRs.contains { $0.contains(address) } ? nil : found[0]
  }

  /// Why an address that no machine has can't belong to a host outside either: a Service or a pod may get it. `nil` if
  /// it can.
  public func whyNobody(has address: IPAddress) -> String? {
    if settings.serviceCIDRs.contains(where: { $0.contains(address) }) { return "no service has \(address)" }
    return isForPods(address) ? "no pod has \(address)" : nil
  }

  /// The network of all pods counts only if it is stated or k3s's own. One that is derived may be far too wide.
  private func isForPods(_ address: IPAddress) -> Bool {
    let usual = CIDR(IPAddress(v4: 0x0a2a_0000), prefixLength: 16)
    let whole = settings.clusterCIDRs ?? (clusterCIDR(.v4) == usual ? [usual] : [])
    return (whole + nodes.flatMap(\.podCIDRs)).contains { $0.contains(address) }
  }
}
