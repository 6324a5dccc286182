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
    if let rule = unreadRules.first(where: { traces.isChain($0.chain) }) {
      throw UnreadOwnRule(
        description:
          "line \(rule.line) of the dump: \(rule.text): what this rule means is not known, so nothing can be "
          + "said about the chain \(rule.chain)")
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

  /// The enforcer's rules in a built-in chain, and those of others before them that end a packet's way.
  private static func deciding(_ chain: Chain, _ traces: Traces) -> [Rule] {
    guard let last = chain.rules.lastIndex(where: traces.isBuiltInRule) else { return [] }
    return chain.rules[...last].filter { rule in
      traces.isBuiltInRule(rule)
        || rule.statements.contains { statement in
          switch statement {
          case .accept, .drop, .reject, .return: true
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

  /// kube-proxy's marks.
  private static let othersMarks: UInt32 = 0xc000
}
