public import NetpolModel

extension Cluster {
  /// The cluster with a host outside for each asked address that nobody has and nobody inside can have. Also returns
  /// these hosts.
  ///
  /// 8.8.8.8 becomes such a host, and so does 169.254.169.254, a cloud's metadata service. Policies then decide about
  /// packets, not the lack of a machine. A host that is asked as a sender has routes to the pods.
  public func addingHosts(sending senders: [IPAddress], receiving receivers: [IPAddress])
    -> (cluster: Cluster, added: [ExternalHost])
  {
    if senders.isEmpty, receivers.isEmpty { return (self, []) }
    let topology = Topology(self)
    let podIPs = Set(pods.flatMap(\.podIPs))
    let sending = Set(senders)
    let privates = Set(topology.nodes.flatMap(\.privateAddresses))
    let addresses = sending.union(receivers).sorted().filter { address in
      topology.owner(of: address) == nil && !privates.contains(address) && serviceEndpoint(at: address) == nil
        && !podIPs.contains(address)
        && address.obstacleOutside == nil && whyNobody(has: address) == nil
    }
    let hosts = addresses.map {
      // No host of a Cluster document has such a name: it must be a DNS label.
      ExternalHost(name: $0.description, addresses: [$0], routesToPods: sending.contains($0))
    }
    var cluster = self
    cluster.externalHosts += hosts
    return (cluster, hosts)
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
