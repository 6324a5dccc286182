internal import NetpolModel
internal import RuleIR

// The chains of one service port.
extension KubeProxyNft {
  func chains(_ port: ServicePort) -> [Chain] {
    var chains: [Chain] = []
    if port.restrictsSources { chains.append(firewallChain(port)) }
    guard port.endpoints.exist else { return chains }
    if port.isExposed { chains.append(Chain(name: port.nftChain(.external), rules: externalRules(port))) }
    for (kind, endpoints) in [
      (KubeProxyNftNames.Kind.cluster, port.endpoints.cluster), (.local, port.endpoints.local),
    ] where !endpoints.isEmpty {
      let name = port.nftChain(kind)
      let isEntry = name == port.nftInternalChain && port.hasInternalEndpoints
      chains.append(
        Chain(name: name, rules: (isEntry ? outsiderMark(port) : []) + choiceRules(endpoints, port)))
    }
    return release < .v36 ? chains + port.endpoints.reachable.map { endpointChain($0, port) } : chains
  }

  /// Up to 1.35: as `outsiders` says, for this service's ClusterIP. Since 1.34 whatever the port, which the map has
  /// compared.
  private func outsiderMark(_ port: ServicePort) -> [Rule] {
    guard release < .v36, let outsiders else { return [] }
    let address = Match.address(.destination, CIDR(port.clusterIP))
    let number = Match.port(port.port.transport, PortRange(port.port.port))
    return [
      Rule(
        (release <= .v33 ? [address, number] : [address]) + outsiders, [.jump(KubeProxyNftNames.markForMasquerade)])
    ]
  }

  /// The statement that marks, or up to 1.35 the jump to the chain that does.
  private var markForMasquerade: Statement {
    release < .v36 ? .jump(KubeProxyNftNames.markForMasquerade) : Self.mark
  }

  /// Policy Cluster masquerades every source, because the endpoint may be on another node. Policy Local keeps the
  /// source, but pods and processes of this node can use every endpoint, as they could through a load balancer.
  private func externalRules(_ port: ServicePort) -> [Rule] {
    let end = port.hasExternalEndpoints ? [Rule([], [.goto(port.nftExternalPolicyChain)])] : []
    guard port.isExternallyLocal else {
      return [Rule([], [markForMasquerade], comment: release < .v36 ? nil : "masquerade")] + end
    }
    let all = Statement.goto(port.nftChain(.cluster))
    let pods = clusterCIDR.map { [Rule([.address(.source, $0)], [all], comment: "short-circuit pod traffic")] } ?? []
    return pods + [
      Rule([.local(.source)], [markForMasquerade], comment: "masquerade local traffic"),
      Rule([.local(.source)], [all], comment: "short-circuit local traffic"),
    ] + end
  }

  /// Drops what comes from outside the source ranges.
  private func firewallChain(_ port: ServicePort) -> Chain {
    // The address may be one of the node's own. Then packets that the node itself sends there have it as their source.
    let allowsNode = nodeIP.map { ip in port.sourceRanges.contains { $0.contains(ip) } } ?? false
    let allowed = port.sourceRanges + (allowsNode ? port.loadBalancerIPs.map { CIDR($0) } : [])
    return Chain(
      name: port.nftChain(.firewall), rules: [Rule([Match(.source, in: allowed, negated: true)], [.drop])])
  }

  private func choiceRules(_ endpoints: [Endpoint], _ port: ServicePort) -> [Rule] {
    switch (choice, release < .v36) {
    case (.random, true): [Rule([], [.gotoRandomly(endpoints.map(port.nftChain))])]
    case (.random, false):
      [
        Rule(
          [.transport(port.port.transport)],
          [.dnatRandomly(endpoints.map { Statement.Destination($0.address, port: $0.port) })])
      ]
    case (.byCodePoint, let hasChains):
      endpoints.enumerated().map { index, endpoint in
        let matches: [Match] =
          index == endpoints.count - 1
          ? [] : [.codePoint(port.codePoints[endpoint.description] ?? ServiceTarget.noCodePoint)]
        return hasChains
          ? Rule(matches, [.goto(port.nftChain(of: endpoint))])
          : Rule(matches + [.transport(port.port.transport)], [.dnat(endpoint.address, port: endpoint.port)])
      }
    }
  }

  /// Masquerades a pod that reaches itself, because otherwise it would answer itself directly.
  private func endpointChain(_ endpoint: Endpoint, _ port: ServicePort) -> Chain {
    Chain(
      name: port.nftChain(of: endpoint),
      rules: [
        Rule([.address(.source, CIDR(endpoint.address))], [.jump(KubeProxyNftNames.markForMasquerade)]),
        Rule([.transport(port.port.transport)], [.dnat(endpoint.address, port: endpoint.port)]),
      ])
  }
}
