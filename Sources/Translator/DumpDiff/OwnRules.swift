internal import Dumps
internal import NetpolModel
public import RuleIR

/// A rule of the enforcer that can't be judged, since it can't be expressed.
public struct UnreadOwnRule: Error, CustomStringConvertible {
  public let description: String
}

extension NodeRules {
  /// The enforcer's rules and sets alone, ready to be run: those of other programs are left out, but for rules of
  /// built-in chains that accept or stop packets before the enforcer sees them. Throws `UnreadOwnRule` if one of its
  /// rules could not be read, or reads what no packet here has although no rule of `expected` does.
  public func own(_ traces: Traces, expected: Ruleset) throws(UnreadOwnRule) -> Ruleset {
    if let rule = unreadRules.first(where: { traces.isChain($0.chain) || isBeforeOwn($0, traces) }) {
      throw UnreadOwnRule(
        description:
          "line \(rule.line) of the dump: \(rule.text): what this rule means is not known, so nothing can be "
          + "said about the chain \(rule.chain)")
    }
    if let object = unreadNft.first(where: { traces.isTable($0.table) }) {
      throw UnreadOwnRule(
        description:
          "line \(object.line) of the dump: \(object.text): what this means is not known, so nothing can be said "
          + "about the table \(object.table)")
    }
    if let (chain, target) = foreignJump(traces) {
      throw UnreadOwnRule(
        description:
          "before the style's first rule in \(chain) another rule leads to the chain \(target), which may decide: "
          + "chains of other programs are not followed")
    }
    var tables: [Table] = []
    for var table in self.tables where backend == .iptables || traces.isTable(table.name) {
      let own = chains(of: table, traces)
      table.chains = table.chains.compactMap { chain in
        guard var kept = own[chain.name] else { return nil }
        if backend == .iptables, chain.base != nil { kept.rules = Self.deciding(chain, traces) }
        return kept
      }
      if backend == .nftables || table.chains.contains(where: { !$0.rules.isEmpty }) { tables.append(table) }
    }
    let ruleset = Ruleset(backend: backend, tables: tables, sets: sets, keyedSets: keyedSets).reachable
    let stated = Set(expected.tables.flatMap(\.chains).flatMap(\.rules).flatMap(\.matches))
    for table in ruleset.tables {
      for chain in table.chains {
        for match in chain.rules.flatMap(\.matches) where match.isUnasked && !stated.contains(match) {
          throw UnreadOwnRule(
            description:
              "a rule of \(chain.name) looks at the source port, at packets that conntrack leaves alone, or at "
              + "another program's mark: packets here have none of these")
        }
      }
    }
    return ruleset
  }

  /// Whether the dump has a rule of the enforcer.
  public func hasOwnRules(_ traces: Traces) -> Bool {
    tables.contains { table in
      (backend == .iptables || traces.isTable(table.name))
        && chains(of: table, traces).values.contains { !$0.rules.isEmpty }
    }
  }

  /// Whether packets meet a rule of a built-in chain before the enforcer's first one there.
  private func isBeforeOwn(_ rule: ForeignRule, _ traces: Traces) -> Bool {
    let chain = tables.first { $0.name == rule.table && $0.family == rule.family }?.chain(rule.chain)
    guard let chain, chain.base != nil, let first = chain.rules.firstIndex(where: traces.isBuiltInRule) else {
      return false
    }
    return rule.position <= first
  }

  /// A jump in a built-in chain before the enforcer's first rule there, to a chain of a program that is not modelled.
  private func foreignJump(_ traces: Traces) -> (ChainName, target: ChainName)? {
    if backend != .iptables { return nil }
    for table in tables {
      for chain in table.chains where chain.base != nil {
        guard let first = chain.rules.firstIndex(where: traces.isBuiltInRule) else { continue }
        for target in chain.rules[..<first].flatMap(\.statements).flatMap(\.chains)
        where !traces.isChain(target) && !Self.modelled.contains(where: target.hasPrefix)
          && table.chain(target)?.rules.isEmpty == false
        {
          return (chain.name, target)
        }
      }
    }
    return nil
  }

  /// Chains of kube-proxy, flannel and the CNI plugins begin so.
  private static let modelled = ["KUBE-", "FLANNEL-", "CNI-"]

  /// The enforcer's rules in a built-in chain, and those of others before them that end a packet's way.
  private static func deciding(_ chain: Chain, _ traces: Traces) -> [Rule] {
    guard let last = chain.rules.lastIndex(where: traces.isBuiltInRule) else { return [] }
    return chain.rules[...last].filter { rule in
      traces.isBuiltInRule(rule)
        || rule.statements.contains { statement in
          switch statement {
          case .accept, .drop, .reject, .return, .setMark: true
          default: false
          }
        }
    }
  }
}

extension Match {
  /// Whether it looks at something that all packets of a comparison have in common.
  fileprivate var isUnasked: Bool {
    switch self {
    case .sourcePort: true
    case .conntrack(let states): states.isSubset(of: [.untracked])
    case .mark(let mark, _): mark.mask & Self.othersMarks != 0
    default: false
    }
  }

  /// kube-proxy's mark for packets to drop, which it no longer sets.
  private static let othersMarks: UInt32 = 0x8000
}
