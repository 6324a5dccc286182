internal import NetpolModel
public import RuleIR

/// The filter and nat tables of kube-proxy in iptables mode, for each family (`syncProxyRules` of pkg/proxy/iptables,
/// 1.30 to 1.34).
///
/// Left out because the rules here can't express them: KUBE-FIREWALL (a negated conntrack match with the state DNAT)
/// and client affinity (`xt_recent`). Left out because they don't affect packets: the canary chains.
public func serviceProxyTables(_ view: ProxyView) -> [Table] {
  view.families.flatMap { family in
    let proxy = KubeProxy(view, family)
    return [proxy.filterTable(), proxy.natTable()]
  }
}

/// kube-proxy's chains in one family.
///
/// Built-in chain -> KUBE-SERVICES by address, its last rule by node port -> KUBE-EXT-* or KUBE-SVC-*, KUBE-SVL-* ->
/// KUBE-SEP-*, which does DNAT. Packets that must be masqueraded get a mark on the way. KUBE-POSTROUTING masquerades
/// them.
struct KubeProxy {
  /// `--iptables-masquerade-bit`, 14.
  static let masquerade = Mark(0x4000, mask: 0x4000)

  let family: IPFamily
  let ports: [ServicePort]
  let clusterCIDR: CIDR?
  let nodeIP: IPAddress?
  let flags: KubeProxyFlags
  /// The addresses at which NodePorts answer. `nil`: any of the node's.
  let nodePortAddresses: [IPAddress]?
  let choice: ProxyView.EndpointChoice

  init(_ view: ProxyView, _ family: IPFamily) {
    self.family = family
    ports = view.services.flatMap { service in
      service.ports.compactMap { ServicePort($0, of: service, family, view) }
    }
    clusterCIDR = view.clusterCIDR(family)
    nodeIP = view.nodeIP(family)
    flags = view.flags
    nodePortAddresses = view.nodePortAddresses(family)
    choice = view.endpointChoice
  }

  // MARK: - nat

  func natTable() -> Table {
    let portals = Rule([], [.jump(KubeProxyNames.services)], comment: "kubernetes service portals")
    let postrouting = Rule([], [.jump(KubeProxyNames.postrouting)], comment: "kubernetes postrouting rules")
    return Table(
      name: "nat", family: family,
      chains: Chain.natBuiltIns(prerouting: [portals], output: [portals], postrouting: [postrouting]) + [
        Chain(name: KubeProxyNames.services, rules: ports.flatMap(captures) + nodePortsJumps()),
        Chain(name: KubeProxyNames.nodePorts, rules: ports.flatMap(nodePortCaptures)),
        Chain(name: KubeProxyNames.postrouting, rules: postroutingRules()),
        Chain(name: KubeProxyNames.markMasquerade, rules: [Rule([], [.setMark(Self.masquerade)])]),
      ] + ports.flatMap(chains))
  }

  /// The rules in KUBE-SERVICES for the addresses of a port.
  private func captures(_ port: ServicePort) -> [Rule] {
    guard port.endpoints.exist else { return [] }
    let jump = { (address: IPAddress, what: String, chain: ChainName) in
      Rule(port.matches(address), [.jump(chain)], comment: "\(port.name) \(what)")
    }
    let loadBalancerChain = port.usesFirewall ? port.firewallChain : port.externalChain
    return (port.hasInternalEndpoints ? [jump(port.clusterIP, "cluster IP", port.internalPolicyChain)] : [])
      + port.externalIPs.map { jump($0, "external IP", port.externalChain) }
      + port.loadBalancerIPs.map { jump($0, "loadbalancer IP", loadBalancerChain) }
  }

  private func nodePortCaptures(_ port: ServicePort) -> [Rule] {
    guard let number = port.port.nodePort, port.endpoints.exist else { return [] }
    return [
      Rule([.port(port.port.transport, PortRange(number))], [.jump(port.externalChain)], comment: port.name)
    ]
  }

  /// NodePorts never work on ::1. They work on 127.0.0.1 if kube-proxy sets `route_localnet`, which it does for
  /// `--iptables-localhost-nodeports`.
  private func nodePortsJumps() -> [Rule] {
    let jump = { (matches: [Match]) in
      Rule(
        matches, [.jump(KubeProxyNames.nodePorts)],
        comment: "kubernetes service nodeports; NOTE: this must be the last rule in this chain")
    }
    let worksOnLoopback = family == .v4 && flags.localhostNodePorts
    if let nodePortAddresses {
      return nodePortAddresses.filter { worksOnLoopback || !$0.isLoopback }
        .map { jump([.address(.destination, CIDR($0))]) }
    }
    let loopback = family == .v4 ? CIDR(IPAddress(v4: 0x7f00_0000), prefixLength: 8) : CIDR(IPAddress(v6: 1))
    let exception = worksOnLoopback ? [] : [Match.address(.destination, loopback, negated: true)]
    return [jump(exception + [.local(.destination)])]
  }

  /// Removes the mark before masquerading, so that a packet that passes the stack again is not masqueraded twice.
  private func postroutingRules() -> [Rule] {
    [
      Rule([.mark(Self.masquerade, negated: true)], [.return]),
      // MARK --xor-mark.
      Rule([], [.setMark(Mark(Self.masquerade.value, mask: 0))]),
      Rule([], [.masquerade(randomFully: true)], comment: "kubernetes service traffic requiring SNAT"),
    ]
  }

  /// The chains that belong to one port.
  private func chains(_ port: ServicePort) -> [Chain] {
    guard port.endpoints.exist else { return [] }
    var chains: [Chain] = []
    if port.isExposed { chains.append(Chain(name: port.externalChain, rules: externalRules(port))) }
    if port.usesFirewall { chains.append(Chain(name: port.firewallChain, rules: firewallRules(port))) }
    for (name, endpoints) in [(port.clusterChain, port.endpoints.cluster), (port.localChain, port.endpoints.local)]
    where !endpoints.isEmpty {
      let isEntry = name == port.internalPolicyChain && port.hasInternalEndpoints
      chains.append(
        Chain(name: name, rules: (isEntry ? outsiderMark(port) : []) + choiceRules(endpoints, port)))
    }
    return chains + port.endpoints.reachable.map { endpointChain($0, port) }
  }

  /// Masquerades packets to the cluster IP that don't come from pods, so that the replies return through this node. With
  /// `--masquerade-all` also those of pods.
  private func outsiderMark(_ port: ServicePort) -> [Rule] {
    let outsiders: [Match]
    if flags.masqueradeAll {
      outsiders = []
    } else if let clusterCIDR {
      outsiders = [.address(.source, clusterCIDR, negated: true)]
    } else {
      return []
    }
    return [
      Rule(
        outsiders + port.matches(port.clusterIP), [.jump(KubeProxyNames.markMasquerade)],
        comment: "\(port.name) cluster IP")
    ]
  }

  /// Policy Cluster masquerades every source, because the endpoint may be on another node. Policy Local keeps the
  /// source, but pods and processes of this node can use every endpoint, as they could through a load balancer.
  private func externalRules(_ port: ServicePort) -> [Rule] {
    let end = port.hasExternalEndpoints ? [Rule([], [.jump(port.externalPolicyChain)])] : []
    guard port.isExternallyLocal else {
      return [
        Rule(
          [], [.jump(KubeProxyNames.markMasquerade)],
          comment: "masquerade traffic for \(port.name) external destinations")
      ] + end
    }
    let pods = clusterCIDR.map {
      Rule(
        [.address(.source, $0)], [.jump(port.clusterChain)],
        comment: "pod traffic for \(port.name) external destinations")
    }
    return (pods.map { [$0] } ?? []) + [
      Rule(
        [.local(.source)], [.jump(KubeProxyNames.markMasquerade)],
        comment: "masquerade LOCAL traffic for \(port.name) external destinations"),
      Rule(
        [.local(.source)], [.jump(port.clusterChain)],
        comment: "route LOCAL traffic for \(port.name) external destinations"),
    ] + end
  }

  /// Allows sources to use a load balancer's address. Packets that no rule here matches reach KUBE-PROXY-FIREWALL
  /// untranslated.
  private func firewallRules(_ port: ServicePort) -> [Rule] {
    let allow = { (source: CIDR) in
      Rule([.address(.source, source)], [.jump(port.externalChain)], comment: "\(port.name) loadbalancer IP")
    }
    // The address may be one of the node's own. Then packets that the node itself sends there have it as their source.
    let allowsNode = nodeIP.map { ip in port.sourceRanges.contains { $0.contains(ip) } } ?? false
    return port.sourceRanges.map(allow) + (allowsNode ? port.loadBalancerIPs.map { allow(CIDR($0)) } : []) + [
      Rule([], [], comment: "other traffic to \(port.name) will be dropped by KUBE-PROXY-FIREWALL")
    ]
  }

  private func choiceRules(_ endpoints: [Endpoint], _ port: ServicePort) -> [Rule] {
    endpoints.enumerated().map { index, endpoint in
      let left = endpoints.count - index
      return Rule(
        left > 1 ? draw(endpoint, of: left, port) : [], [.jump(port.chain(of: endpoint))],
        comment: "\(port.name) -> \(endpoint)")
    }
  }

  private func draw(_ endpoint: Endpoint, of left: Int, _ port: ServicePort) -> [Match] {
    switch choice {
    case .random: [.random(share: Self.share(oneOf: left))]
    case .byCodePoint: [.codePoint(port.codePoints[endpoint.description] ?? Self.noCodePoint)]
    }
  }

  /// No packet of the lab has it.
  private static let noCodePoint = ServiceTarget.noCodePoint

  /// kube-proxy writes 1/`count` with ten decimals. iptables rounds that to a share of 2^31.
  static func share(oneOf count: Int) -> UInt32 {
    let unit: UInt64 = 10_000_000_000
    let count = UInt64(max(count, 1))
    let decimals = (2 * unit + count) / (2 * count)
    let share = (UInt128(decimals) << 31 + UInt128(unit / 2)) / UInt128(unit)
    return UInt32(truncatingIfNeeded: share)
  }

  /// Masquerades a pod that reaches itself, because otherwise it would answer itself directly.
  private func endpointChain(_ endpoint: Endpoint, _ port: ServicePort) -> Chain {
    Chain(
      name: port.chain(of: endpoint),
      rules: [
        Rule(
          [.address(.source, CIDR(endpoint.address))], [.jump(KubeProxyNames.markMasquerade)], comment: port.name),
        Rule(
          [.transport(port.port.transport)], [.dnat(endpoint.address, port: endpoint.port)], comment: port.name),
      ])
  }
}

extension Chain {
  static func builtIn(_ name: ChainName, _ hook: Hook, _ rules: [Rule]) -> Chain {
    Chain(name: name, base: Base(hook), rules: rules)
  }

  /// The built-in chains of iptables' nat table, with rules in some.
  static func natBuiltIns(prerouting: [Rule] = [], output: [Rule] = [], postrouting: [Rule] = []) -> [Chain] {
    [
      Chain(name: "PREROUTING", base: .nat(.prerouting), rules: prerouting),
      Chain(name: "INPUT", base: .nat(.input)),
      Chain(name: "OUTPUT", base: .nat(.output), rules: output),
      Chain(name: "POSTROUTING", base: .nat(.postrouting), rules: postrouting),
    ]
  }
}
