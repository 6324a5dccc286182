public import NetpolModel
public import RuleIR

/// flannel's own rules on a node: `MasqRules` and `ForwardRules` of its pkg/trafficmngr/iptables. Each family's filter
/// table comes before its nat table.
///
/// `network` has the cluster's pod networks (flannel's `Network`), `subnet` those of the node (`spec.podCIDRs`). Only
/// the first of each family is used. A family that lacks either has no rules.
public func flannelTables(network: [CIDR], subnet: [CIDR]) -> [Table] {
  IPFamily.allCases.flatMap { family -> [Table] in
    guard let network = network.first(where: { $0.family == family }),
      let subnet = subnet.first(where: { $0.family == family })
    else { return [] }
    return [flannelFilterTable(network), flannelNatTable(network, subnet)]
  }
}

private func flannelFilterTable(_ network: CIDR) -> Table {
  let comment = "flanneld forward"
  return Table(
    name: "filter", family: network.family,
    chains: [
      .builtIn("INPUT", .input, []),
      .builtIn("FORWARD", .forward, [Rule([], [.jump("FLANNEL-FWD")], comment: comment)]),
      .builtIn("OUTPUT", .output, []),
      Chain(
        name: "FLANNEL-FWD",
        rules: Side.allCases.map { Rule([.address($0, network)], [.accept], comment: comment) }),
    ])
}

/// Does not masquerade traffic between pods. Masquerades what pods send elsewhere, and what others send to pods of
/// other nodes.
private func flannelNatTable(_ network: CIDR, _ subnet: CIDR) -> Table {
  let comment = "flanneld masq"
  let multicast =
    network.family == .v4
    ? CIDR(IPAddress(v4: 0xe000_0000), prefixLength: 4) : CIDR(IPAddress(v6: 0xff << 120), prefixLength: 8)
  let rule = { (source: CIDR, not: Bool, destination: CIDR, notTo: Bool, statement: Statement) in
    Rule(
      [.address(.source, source, negated: not), .address(.destination, destination, negated: notTo)], [statement],
      comment: comment)
  }
  let masquerade = Statement.masquerade(randomFully: true)
  return Table(
    name: "nat", family: network.family,
    chains: [
      .builtIn("PREROUTING", .prerouting, priority: -100, []),
      .builtIn("INPUT", .input, priority: 100, []),
      .builtIn("OUTPUT", .output, priority: -100, []),
      .builtIn(
        "POSTROUTING", .postrouting, priority: 100, [Rule([], [.jump("FLANNEL-POSTRTG")], comment: comment)]),
      Chain(
        name: "FLANNEL-POSTRTG",
        rules: [
          // kube-proxy masquerades packets with this mark.
          Rule([.mark(KubeProxy.masquerade)], [.return], comment: comment),
          rule(subnet, false, network, false, .return),
          rule(network, false, subnet, false, .return),
          rule(network, true, subnet, false, .return),
          rule(network, false, multicast, true, masquerade),
          rule(network, true, network, false, masquerade),
        ]),
    ])
}
