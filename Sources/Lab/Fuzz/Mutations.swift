internal import NetpolModel
internal import RuleIR

/// All mistakes that can be made in some rulesets, by what they are about.
struct Mutations {
  /// What a mistake is about, and why no first packet can tell where none can.
  private(set) var byKind: [String: Set<Mutation>] = [:]

  mutating func add(_ ruleset: Ruleset) {
    for set in ruleset.sets {
      for mutation in SetMutation.allCases where mutation.mutated(set) != nil {
        add(.set(Mutation.SetSite(set), mutation), "set")
      }
    }
    for set in ruleset.keyedSets {
      for mutation in SetMutation.allCases where mutation.mutated(set) != nil {
        add(.set(Mutation.SetSite(set), mutation), set.isMap ? "map" : "keyed set")
      }
    }
    for chain in ruleset.tables.flatMap(\.chains) {
      if chain.base != nil {
        add(.unhooked(chain: withoutHash(chain.name)), "hook")
        if !chain.rules.isEmpty { add(.policyFlipped(chain: withoutHash(chain.name)), "hook") }
      }
      for (index, rule) in chain.rules.enumerated() where !rule.isBlindSpot {
        let next = index + 1 < chain.rules.count ? chain.rules[index + 1] : nil
        add(rule, in: chain, before: next)
      }
    }
  }

  private mutating func add(_ rule: Rule, in chain: Chain, before next: Rule?) {
    let site = RuleSite(rule, in: chain.name)
    for reach in Mutation.Reach.allCases {
      add(.ruleAbsent(site), "rule", reach)
      if let next, !next.isBlindSpot, RuleSite(next, in: chain.name) != site { add(.ruleLater(site), "rule", reach) }
      for (index, match) in rule.matches.enumerated() where !match.isBlindSpot {
        for mutation in MatchMutation.allCases {
          guard let mutated = mutation.mutated(match), mutated != [match] else { continue }
          add(.match(site, index, mutation), RuleKind(match).rawValue, reach)
        }
      }
      for (index, statement) in rule.statements.enumerated() where !statement.isBlindSpot {
        for mutation in StatementMutation.allCases {
          guard let mutated = mutation.mutated(statement), mutated != [statement] else { continue }
          add(.statement(site, index, mutation), RuleKind(statement).rawValue, reach)
        }
      }
    }
  }

  private mutating func add(_ change: Mutation.Change, _ kind: String, _ reach: Mutation.Reach = .every) {
    byKind[kind, default: []].insert(Mutation(change: change, reach: reach))
  }
}

// What no first packet of a flow can tell, whatever the world.

extension Rule {
  /// It matches nothing that begins a connection, only pings and ICMP errors, or does nothing but count and log.
  fileprivate var isBlindSpot: Bool {
    matches.contains { match in
      switch match {
      case .icmpType: true
      case .conntrack(let states): !states.contains(.new)
      default: false
      }
    } || statements.allSatisfy(\.isBlindSpot)
  }
}

extension Match {
  /// A limit without its clock is always kept.
  fileprivate var isBlindSpot: Bool { if case .limit = self { true } else { false } }
}

extension Statement {
  fileprivate var isBlindSpot: Bool {
    switch self {
    case .counter, .log: true
    default: false
    }
  }
}
