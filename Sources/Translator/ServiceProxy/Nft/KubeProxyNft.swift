public import NetpolModel
public import RuleIR

/// The tables of kube-proxy in nftables mode, one for each family (`syncProxyRules` of pkg/proxy/nftables, 1.31 to 1.36).
///
/// Left out because an evaluator without a clock can't judge it: client affinity.
public func kubeProxyNftables(_ view: ProxyView, _ release: KubeProxyRelease) -> Ruleset {
  var ruleset = Ruleset(backend: .nftables)
  for family in view.families {
    let proxy = KubeProxyNft(view, family, release)
    ruleset.tables.append(proxy.table())
    ruleset.sets += proxy.sets()
    ruleset.keyedSets += proxy.keyedSets()
  }
  return ruleset
}

/// kube-proxy's chains in one family.
///
/// The nat chains jump to `services`, which finds the chain of a service port in maps. That chain translates the
/// destination, or, up to 1.35, goes to an endpoint's chain, which does. What was not translated and must not pass is
/// stopped in the filter chains.
struct KubeProxyNft {
  let family: IPFamily
  let release: KubeProxyRelease
  let ports: [ServicePort]
  let clusterCIDR: CIDR?
  let nodeIP: IPAddress?
  let serviceCIDRs: [CIDR]
  let masqueradesAll: Bool
  /// The addresses at which NodePorts answer. `nil`: any of the node's.
  let nodePortAddresses: [IPAddress]?
  let choice: ProxyView.EndpointChoice

  init(_ view: ProxyView, _ family: IPFamily, _ release: KubeProxyRelease) {
    self.family = family
    self.release = release
    ports = view.services.flatMap { service in
      service.ports.compactMap { ServicePort($0, of: service, family, view) }
    }
    clusterCIDR = view.clusterCIDR(family)
    nodeIP = view.nodeIP(family)
    serviceCIDRs = release.knowsServiceCIDRs ? view.serviceCIDRs.filter { $0.family == family } : []
    masqueradesAll = view.flags.masqueradeAll
    nodePortAddresses = view.nodePortAddresses(family)
    choice = view.endpointChoice
  }

  func table() -> Table {
    Table(
      name: KubeProxyNftNames.table, family: family,
      chains: baseChains() + fixedChains() + ports.flatMap(chains), comment: "rules for kube-proxy")
  }

  // MARK: - Base chains

  /// Source ranges are judged before the translation, everything else after it. Up to 1.33 the node's own packets met
  /// the check for endpoints before it too (kubernetes/kubernetes#131765).
  private func baseChains() -> [Chain] {
    let jump = { (chain: ChainName) in Rule([.conntrack([.new])], [.jump(chain)]) }
    let firewall = jump(KubeProxyNftNames.firewallCheck)
    let endpoints = jump(KubeProxyNftNames.serviceEndpointsCheck)
    let clusterIPs = jump(KubeProxyNftNames.clusterIPsCheck)
    let filter = { (name: String, hook: Hook, priority: Int, rules: [Rule]) in
      Chain(name: name, base: .init(hook, priority: priority), rules: rules)
    }
    let input = [jump(KubeProxyNftNames.nodePortEndpointsCheck), endpoints]
    let filters =
      release <= .v33
      ? [
        filter("filter-prerouting", .prerouting, -110, [firewall]), filter("filter-input", .input, -110, input),
        filter("filter-forward", .forward, -110, [endpoints, clusterIPs]),
        filter("filter-output", .output, -110, [endpoints, firewall]),
        filter("filter-output-post-dnat", .output, -90, [clusterIPs]),
      ]
      : [
        filter("filter-prerouting-pre-dnat", .prerouting, -110, [firewall]),
        filter("filter-output-pre-dnat", .output, -110, [firewall]), filter("filter-input", .input, 0, input),
        filter("filter-forward", .forward, 0, [endpoints, clusterIPs]),
        filter("filter-output", .output, 0, [endpoints, clusterIPs]),
      ]
    let services = Rule([], [.jump(KubeProxyNftNames.services)])
    return filters + [
      Chain(name: "nat-prerouting", base: .nat(.prerouting), rules: [services]),
      Chain(name: "nat-output", base: .nat(.output), rules: [services]),
      Chain(
        name: "nat-postrouting", base: .nat(.postrouting), rules: [Rule([], [.jump(KubeProxyNftNames.masquerading)])]),
    ]
  }

  // MARK: - Chains that exist whatever the services

  /// The key of the maps for addresses and ports.
  static let addressKey: [PacketField] = [.address(.destination), .transport, .port]
  /// The key of the maps for NodePorts.
  static let nodePortKey: [PacketField] = [.transport, .port]

  private func fixedChains() -> [Chain] {
    let ask = { (map: SetName) in Rule([], [.verdictFrom(Self.addressKey, map: map)]) }
    let chains = [
      Chain(
        name: KubeProxyNftNames.services, rules: outsiderMark() + [ask(KubeProxyNftNames.serviceIPs), nodePorts()]),
      Chain(name: KubeProxyNftNames.serviceEndpointsCheck, rules: [ask(KubeProxyNftNames.noEndpointServices)]),
      Chain(
        name: KubeProxyNftNames.nodePortEndpointsCheck,
        rules: [
          Rule(
            nodePortAddresses == nil ? [notLoopback] : [atNodePortAddress],
            [.verdictFrom(Self.nodePortKey, map: KubeProxyNftNames.noEndpointNodePorts)])
        ]),
      Chain(
        name: KubeProxyNftNames.rejection, rules: [Rule([], [.reject(.portUnreachable)])],
        comment: "helper for @no-endpoint-services / @no-endpoint-nodeports"),
      Chain(name: KubeProxyNftNames.firewallCheck, rules: [ask(KubeProxyNftNames.firewallIPs)]),
      Chain(name: KubeProxyNftNames.clusterIPsCheck, rules: clusterIPsCheck()),
      Chain(name: KubeProxyNftNames.masquerading, rules: masquerading()),
    ]
    return release < .v36
      ? chains + [Chain(name: KubeProxyNftNames.markForMasquerade, rules: [Rule([], [Self.mark])])] : chains
  }

  /// Since 1.36, one rule for the ClusterIPs of all services: as `outsiders` says.
  private func outsiderMark() -> [Rule] {
    guard release >= .v36, let outsiders else { return [] }
    return [
      Rule(
        [.inSet(.destination, KubeProxyNftNames.clusterIPs)] + outsiders, [Self.mark],
        comment: "masquerade clusterIP traffic from outside cluster")
    ]
  }

  private func nodePorts() -> Rule {
    Rule(
      nodePortAddresses == nil ? [.local(.destination), notLoopback] : [atNodePortAddress],
      [.verdictFrom(Self.nodePortKey, map: KubeProxyNftNames.serviceNodePorts)])
  }

  private var atNodePortAddress: Match { .inSet(.destination, KubeProxyNftNames.nodePortIPs) }

  private var notLoopback: Match {
    let loopback = family == .v4 ? CIDR(IPAddress(v4: 0x7f00_0000), prefixLength: 8) : CIDR(IPAddress(v6: 1))
    return .address(.destination, loopback, negated: true)
  }

  private func clusterIPsCheck() -> [Rule] {
    let refusal = Rule(
      [.inSet(.destination, KubeProxyNftNames.clusterIPs)], [.reject(.portUnreachable)],
      comment: "Reject traffic to invalid ports of ClusterIPs")
    if serviceCIDRs.isEmpty { return [refusal] }
    return [
      refusal,
      Rule(
        [Match(.destination, in: serviceCIDRs)], [.drop], comment: "Drop traffic to unallocated ClusterIPs"),
    ]
  }

  /// Removes the mark before masquerading, lest a packet that is made of this one be masqueraded again.
  private func masquerading() -> [Rule] {
    let unmark = Statement.setMark(Mark(KubeProxy.masquerade.value, mask: 0))
    let unmarked = { (negated: Bool) in
      Match.mark(Mark(0, mask: KubeProxy.masquerade.mask), negated: negated)
    }
    let masquerade = Statement.masquerade(randomFully: true)
    guard release >= .v36 else {
      return [Rule([unmarked(false)], [.return]), Rule([], [unmark]), Rule([], [masquerade])]
    }
    return [
      Rule([unmarked(true)], [unmark, masquerade]),
      Rule(
        [
          .translated,
          .keyed(
            [.address(.source), .address(.destination), .transport, .port], in: KubeProxyNftNames.hairpinConnections),
        ], [masquerade]),
    ]
  }

  static let mark = Statement.setMark(KubeProxy.masquerade)

  /// Matches the sources whose packets to ClusterIPs are masqueraded, so that the replies return through this node:
  /// those that are not pods, with `--masquerade-all` all. `nil`: none, because kube-proxy doesn't know the pods.
  var outsiders: [Match]? {
    masqueradesAll ? [] : clusterCIDR.map { [.address(.source, $0, negated: true)] }
  }
}

extension Match {
  /// As nft keeps a list of networks: without a set if it is a single one, and merged where they touch, unless all are
  /// single addresses.
  init(_ side: Side, in networks: [CIDR], negated: Bool = false) {
    let distinct = Set(networks).sorted()
    self =
      distinct.count == 1
      ? .address(side, distinct[0], negated: negated)
      : .addresses(side, distinct.allSatisfy(\.isHost) ? distinct : distinct.merged, negated: negated)
  }
}
