internal import NetpolModel

extension NetworkPolicy.Peer {
  /// All addresses but the private ones (RFC 1918, RFC 4193).
  static func internet(_ family: IPFamily) -> NetworkPolicy.Peer {
    let all = CIDR(IPAddress(family: family, bits: 0), prefixLength: 0)
    let own =
      family == .v4
      ? [
        CIDR(IPAddress(v4: 0x0a00_0000), prefixLength: 8), CIDR(IPAddress(v4: 0xac10_0000), prefixLength: 12),
        CIDR(IPAddress(v4: 0xc0a8_0000), prefixLength: 16),
      ] : [CIDR(IPAddress(v6: 0xfc00 << 112), prefixLength: 7)]
    return .block(.init(all, except: own))
  }
}

extension NetworkPolicy.NamespaceScope {
  static func named(_ name: String) -> Self { .matching(.init(matchLabels: ["kubernetes.io/metadata.name": name])) }
}

extension PlannedWorkload {
  /// A policy for the workload's pods that admits the peers to the ports, named after whom it admits.
  func admitting(
    _ peers: [NetworkPolicy.Peer], _ ports: [NetworkPolicy.PortRule], _ purpose: String
  ) -> NetworkPolicy {
    NetworkPolicy(
      id: PolicyID(namespace, "\(name)-from-\(purpose)"), podSelector: .init(matchLabels: selector),
      isolates: [.ingress], ingress: [.init(peers: .listed(peers), ports: .listed(ports))])
  }

  /// A policy that lets the workload's pods send, named after where to.
  func allowed(_ rules: [NetworkPolicy.Rule], _ purpose: String) -> NetworkPolicy {
    NetworkPolicy(
      id: PolicyID(namespace, "\(name)-to-\(purpose)"), podSelector: .init(matchLabels: selector), isolates: [.egress],
      egress: rules)
  }
}
