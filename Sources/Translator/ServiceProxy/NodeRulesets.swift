internal import NetpolModel
public import RuleIR

/// All rules of a node as they stand after k3s has started: kube-router's, kube-proxy's and flannel's.
///
/// kube-proxy prepends its jumps and flannel appends its own, so that KUBE-POSTROUTING stands before FLANNEL-POSTRTG
/// and FLANNEL-FWD last, as in dumps of k3s nodes.
public func nodeRulesets(policy: Ruleset, services: [Table], flannel: [Table]) -> [Ruleset] {
  merged(policy: policy, host: joined(services, flannel))
}

/// Policy rules together with those of the node's other programs.
///
/// With iptables they share tables: in a built-in chain kube-router's jump stands first, then the host's rules, and the
/// explicit ACCEPT of k3s's kube-router right behind the last rule with KUBE in its text, where it puts it. With
/// nftables the policies have tables of their own, and the host's rules, which stay iptables', are a second ruleset.
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

/// Tables of both, those of one name and family made one: a chain of both holds the first's rules, then the second's.
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
  /// k3s's kube-router accepts in the built-in chains what its pod chains passed.
  fileprivate var isExplicitAccept: Bool {
    comment == "KUBE-ROUTER rule to explicitly ACCEPT traffic that comply to network policies"
  }

  /// Whether `KUBE` stands anywhere in the rule as `iptables -S` prints it.
  fileprivate var mentionsKube: Bool {
    let targets = statements.compactMap { statement -> String? in
      switch statement {
      case .jump(let chain): chain
      case .log(_, let text): text
      case .counter, .setMark, .setMarkFrom, .return, .accept, .drop, .reject, .dnat, .masquerade: nil
      }
    }
    let sets = matches.compactMap { match -> String? in
      if case .inSet(_, let name, _) = match { name } else { nil }
    }
    return ((comment.map { [$0] } ?? []) + targets + sets).contains { $0.contains("KUBE") }
  }
}
