internal import NetpolModel
public import RuleIR

/// All rules of a node after k3s has started: kube-router's, kube-proxy's and flannel's.
///
/// kube-proxy prepends its jumps and flannel appends its own. So KUBE-POSTROUTING comes before FLANNEL-POSTRTG, and
/// FLANNEL-FWD comes last, as in dumps of k3s nodes. NodeLocal DNS puts its rules in front, and does so again only if one
/// is missing, while kube-router puts its jump in front again in every sync. portmap comes with the first pod that has a host port. Its tables
/// in nftables, if it uses that, are loaded last.
///
/// In nftables mode kube-proxy has tables of its own. They are loaded after those of iptables, which kubelet writes to
/// when the node starts, and so come first where the priorities are the same.
public func nodeRulesets(
  policy: Ruleset, localDNS: [Table] = [], services: [Table], servicesInNftables: Ruleset? = nil, flannel: [Table],
  hostPorts: [Table] = [],
  hostPortsInNftables: [Table] = []
) -> [Ruleset] {
  merged(policy: policy, host: withHostPorts(joined(joined(localDNS, services), flannel), hostPorts))
    + (servicesInNftables.map { services in
      var services = services
      services.tables = services.tables.map(\.foreign)
      return [services]
    } ?? [])
    + (hostPortsInNftables.isEmpty
      ? [] : [Ruleset(backend: .nftables, tables: hostPortsInNftables.map(\.foreign))])
}

/// portmap appends its jumps in PREROUTING and OUTPUT and puts the one in POSTROUTING first.
public func withHostPorts(_ host: [Table], _ hostPorts: [Table]) -> [Table] {
  var tables = joined(host, hostPorts)
  for index in tables.indices {
    guard let chain = tables[index].chains.firstIndex(where: { $0.base?.kind == .nat && $0.base?.hook == .postrouting })
    else { continue }
    let rules = tables[index].chains[chain].rules
    let own = rules.filter { $0.statements == [.jump(Portmap.masqueradeChain)] }
    tables[index].chains[chain].rules = own + rules.filter { !own.contains($0) }
  }
  return tables
}

/// Policy rules together with those of the node's other programs.
///
/// With iptables they share tables. In a built-in chain kube-router's jump comes first, then the host's rules. The
/// explicit ACCEPT of k3s's kube-router comes directly after the last rule with KUBE in its text, where kube-router
/// puts it. With nftables the policies have tables of their own. The host's rules stay in iptables and are a second
/// ruleset.
///
/// The host's rules are marked as foreign to the policies.
public func merged(policy: Ruleset, host: [Table]) -> [Ruleset] {
  let host = host.map(\.foreign)
  switch policy.backend {
  case .nftables: return [policy] + (host.isEmpty ? [] : [Ruleset(backend: .iptables, tables: host)])
  case .iptables:
    var ruleset = policy
    ruleset.tables = joined(policy.tables, host)
    for table in ruleset.tables.indices {
      for chain in ruleset.tables[table].chains.indices where ruleset.tables[table].chains[chain].base != nil {
        ruleset.tables[table].chains[chain].rules.moveExplicitAccept()
      }
    }
    return [ruleset]
  }
}

/// Returns the tables of both lists. Tables with the same name and family are merged: a chain that both have gets the
/// first's rules, then the second's.
func joined(_ first: [Table], _ second: [Table]) -> [Table] {
  var result = first
  for table in second {
    guard let index = result.firstIndex(where: { $0.name == table.name && $0.family == table.family }) else {
      result.append(table)
      continue
    }
    for chain in table.chains {
      if let old = result[index].chains.firstIndex(where: { $0.name == chain.name }) {
        result[index].chains[old].rules += chain.rules
        if chain.base?.policy == .drop { result[index].chains[old].base?.policy = .drop }
      } else {
        result[index].chains.append(chain)
      }
    }
  }
  return result
}

extension Table {
  fileprivate var foreign: Table {
    var table = self
    for chain in chains.indices {
      for rule in chains[chain].rules.indices { table.chains[chain].rules[rule].role = .foreign }
    }
    return table
  }
}

extension [Rule] {
  fileprivate mutating func moveExplicitAccept() {
    let accepts = filter(\.isExplicitAccept)
    guard !accepts.isEmpty else { return }
    removeAll(where: \.isExplicitAccept)
    let position = lastIndex(where: \.mentionsKube).map { $0 + 1 } ?? count
    insert(contentsOf: accepts, at: position)
  }
}

extension Rule {
  /// The rule with which k3s's kube-router accepts, in the built-in chains, what its pod chains passed.
  fileprivate var isExplicitAccept: Bool {
    comment == "KUBE-ROUTER rule to explicitly ACCEPT traffic that comply to network policies"
  }

  /// Whether the rule, as `iptables -S` prints it, contains `KUBE`.
  fileprivate var mentionsKube: Bool {
    let targets = statements.compactMap { statement -> String? in
      switch statement {
      case .jump(let chain), .goto(let chain): chain
      case .log(_, let text): text
      case .counter, .setMark, .setMarkFrom, .notrack, .verdictFrom, .gotoRandomly, .return, .accept, .drop, .reject,
        .dnat,
        .dnatRandomly, .masquerade:
        nil
      }
    }
    let sets = matches.compactMap { match -> String? in
      if case .inSet(_, let name, _) = match { name } else { nil }
    }
    return ((comment.map { [$0] } ?? []) + targets + sets).contains { $0.contains("KUBE") }
  }
}
