public import NetpolModel
public import RuleIR

/// flannel's own rules on a node: `MasqRules` and `ForwardRules` of its pkg/trafficmngr/iptables. Each family's filter
/// table comes before its nat table.
///
/// `network` has the cluster's pod networks (flannel's `Network`), `subnet` those of the node (`spec.podCIDRs`). A family
/// that lacks either has no rules. flannel has one of each. With several, each has rules of its own, in the order of
/// flannel's `masqRules` while it took a list of networks (Kubernetes' MultiClusterCIDR).
public func flannelTables(network: [CIDR], subnet: [CIDR]) -> [Table] {
  IPFamily.allCases.flatMap { family -> [Table] in
    let networks = network.filter { $0.family == family }
    let subnets = subnet.filter { $0.family == family }
    if networks.isEmpty || subnets.isEmpty { return [] }
    return [flannelFilterTable(networks, family), flannelNatTable(networks, subnets, family)]
  }
}

private func flannelFilterTable(_ networks: [CIDR], _ family: IPFamily) -> Table {
  let comment = "flanneld forward"
  return Table(
    name: "filter", family: family,
    chains: [
      .builtIn("INPUT", .input, []),
      .builtIn("FORWARD", .forward, [Rule([], [.jump("FLANNEL-FWD")], comment: comment)]),
      .builtIn("OUTPUT", .output, []),
      Chain(
        name: "FLANNEL-FWD",
        rules: networks.flatMap { network in
          Side.allCases.map { Rule([.address($0, network)], [.accept], comment: comment) }
        }),
    ])
}

/// Does not masquerade traffic between pods. Masquerades what pods send elsewhere, and what others send to pods of
/// other nodes.
private func flannelNatTable(_ networks: [CIDR], _ subnets: [CIDR], _ family: IPFamily) -> Table {
  let comment = "flanneld masq"
  let multicast =
    family == .v4
    ? CIDR(IPAddress(v4: 0xe000_0000), prefixLength: 4) : CIDR(IPAddress(v6: 0xff << 120), prefixLength: 8)
  let rule = { (source: CIDR, not: Bool, destination: CIDR, notTo: Bool, statement: Statement) in
    Rule(
      [.address(.source, source, negated: not), .address(.destination, destination, negated: notTo)], [statement],
      comment: comment)
  }
  let masquerade = Statement.masquerade(randomFully: true)
  // kube-proxy masquerades packets with this mark.
  var rules = [Rule([.mark(KubeProxy.masquerade)], [.return], comment: comment)]
  for network in networks {
    for subnet in subnets {
      rules += [rule(subnet, false, network, false, .return), rule(network, false, subnet, false, .return)]
    }
  }
  for network in networks { rules += subnets.map { rule(network, true, $0, false, .return) } }
  rules += networks.map { rule($0, false, multicast, true, masquerade) }
  rules += networks.map { rule($0, true, $0, false, masquerade) }
  return Table(
    name: "nat", family: family,
    chains: Chain.natBuiltIns(postrouting: [Rule([], [.jump("FLANNEL-POSTRTG")], comment: comment)]) + [
      Chain(name: "FLANNEL-POSTRTG", rules: rules)
    ])
}
