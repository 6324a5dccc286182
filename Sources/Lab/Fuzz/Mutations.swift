internal import NetpolModel
internal import RuleIR

/// Mistakes that are possible in the rules of some worlds, by kind.
struct Mutations {
  private struct Found {
    let kind: String
    /// `nil` if it is a mistake in at least one world.
    var equivalence: Equivalence?
    var worlds = 0
  }

  private var found: [Mutation: Found] = [:]
  /// Those of the world that is being added.
  private var own: Set<Mutation> = []

  /// Minimum number of worlds that must have what is mutated. A single world may well have another rule for the same
  /// packets.
  static let leastWorlds = 4

  mutating func add(_ rulesets: [Ruleset]) {
    own = []
    for ruleset in rulesets { add(ruleset) }
    for mutation in own { found[mutation]?.worlds += 1 }
  }

  /// Sorted by description.
  var byKind: [String: [Mutation]] {
    Dictionary(grouping: found.filter { $0.value.worlds >= Self.leastWorlds }.keys) { found[$0]?.kind ?? "" }
      .mapValues { $0.sorted { $0.description < $1.description } }
  }

  func equivalence(of mutation: Mutation) -> Equivalence? { found[mutation]?.equivalence }

  private mutating func add(_ ruleset: Ruleset) {
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
    let chains = ruleset.tables.flatMap(\.chains)
    let hasTail = chains.contains { $0.name == "KUBE-NWPLCY-TAIL" }
    for chain in chains {
      if chain.base != nil {
        // iptables' built-in chains are hooked in any case.
        if ruleset.backend == .nftables { add(.unhooked(chain: withoutHash(chain.name)), "hook") }
        if !chain.rules.isEmpty {
          add(
            .policyFlipped(chain: withoutHash(chain.name)), "hook",
            ruleset.backend == .iptables && chain.name == "FORWARD" ? .forwardAccepts : nil)
        }
      }
      for index in chain.rules.indices {
        add(RulePlace(index, in: chain, hasTail: hasTail, isNft: ruleset.backend == .nftables))
      }
    }
  }

  private mutating func add(_ place: RulePlace) {
    let rule = place.rule
    let site = RuleSite(rule, in: place.chain.name)
    add(.ruleAbsent(site), "rule", place.equivalence(of: nil))
    if let next = place.next, RuleSite(next, in: place.chain.name) != site {
      add(.ruleLater(site), "rule", place.equivalence(behind: next))
    }
    for (index, match) in rule.matches.enumerated() {
      for mutation in MatchMutation.allCases {
        guard let mutated = mutation.mutated(match), mutated != [match] else { continue }
        var other = rule
        other.matches.replaceSubrange(index...index, with: mutated)
        add(
          .match(site, index, mutation), RuleKind(match).rawValue,
          place.equivalence(of: match, mutation) ?? place.equivalence(of: other))
      }
    }
    for (index, statement) in rule.statements.enumerated() {
      for mutation in StatementMutation.allCases {
        guard let mutated = mutation.mutated(statement), mutated != [statement] else { continue }
        var other = rule
        other.statements.replaceSubrange(index...index, with: mutated)
        add(.statement(site, index, mutation), RuleKind(statement).rawValue, place.equivalence(of: other))
      }
    }
  }

  private mutating func add(_ change: Mutation.Change, _ kind: String, _ equivalence: Equivalence? = nil) {
    let mutation = Mutation(change: change)
    own.insert(mutation)
    if found[mutation] == nil {
      found[mutation] = Found(kind: kind, equivalence: equivalence)
    } else if equivalence == nil {
      found[mutation]?.equivalence = nil
    }
  }
}
