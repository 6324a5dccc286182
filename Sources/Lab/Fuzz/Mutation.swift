internal import NetpolModel
internal import RuleIR

/// A mistake that a lowering could make: the same in all rules or sets of one make, in every ruleset.
struct Mutation: Hashable, Sendable, CustomStringConvertible {
  enum Change: Hashable, Sendable {
    case ruleAbsent(RuleSite)
    /// The rule comes after the one that follows it. Does not apply if that one is of the same make.
    case ruleLater(RuleSite)
    case match(RuleSite, Int, MatchMutation)
    case statement(RuleSite, Int, StatementMutation)
    case set(SetSite, SetMutation)
    case policyFlipped(chain: String)
    case unhooked(chain: String)
  }

  /// Sets of one make.
  struct SetSite: Hashable, Sendable {
    let role: String
    let kind: String
  }

  let change: Change

  var description: String {
    switch change {
    case .ruleAbsent(let site): "rule absent: \(site)"
    case .ruleLater(let site): "rule after the next one: \(site)"
    case .match(let site, let index, let mutation):
      "match \(index + 1) \(mutation.rawValue) in \(site)"
    case .statement(let site, let index, let mutation):
      "statement \(index + 1) \(mutation.rawValue) in \(site)"
    case .set(let site, let mutation): "\(mutation.rawValue) in every \(site.kind) set \(site.role)"
    case .policyFlipped(let chain): "flipped policy of chain \(chain)"
    case .unhooked(let chain): "chain without its hook: \(chain)"
    }
  }

  func applied(to ruleset: Ruleset) -> Ruleset {
    var result = ruleset
    switch change {
    case .set(let site, let mutation):
      result.sets = ruleset.sets.map { SetSite($0) == site ? mutation.mutated($0) ?? $0 : $0 }
      result.keyedSets = ruleset.keyedSets.map { SetSite($0) == site ? mutation.mutated($0) ?? $0 : $0 }
    default:
      for table in result.tables.indices {
        for chain in result.tables[table].chains.indices { apply(to: &result.tables[table].chains[chain]) }
      }
    }
    return result
  }

  private func apply(to chain: inout Chain) {
    switch change {
    case .ruleAbsent(let site):
      for place in places(of: site, in: chain).reversed() { chain.rules.remove(at: place) }
    case .ruleLater(let site):
      for index in places(of: site, in: chain).reversed() where index + 1 < chain.rules.count {
        if RuleSite(chain.rules[index + 1], in: chain.name) == site { continue }
        chain.rules.swapAt(index, index + 1)
      }
    case .match(let site, let number, let mutation):
      for index in places(of: site, in: chain) {
        if let other = mutation.mutated(chain.rules[index].matches[number]) {
          chain.rules[index].matches.replaceSubrange(number...number, with: other)
        }
      }
    case .statement(let site, let number, let mutation):
      for index in places(of: site, in: chain) {
        if let other = mutation.mutated(chain.rules[index].statements[number]) {
          chain.rules[index].statements.replaceSubrange(number...number, with: other)
        }
      }
    case .policyFlipped(let name):
      if withoutHash(chain.name) == name, let policy = chain.base?.policy {
        chain.base?.policy = policy == .accept ? .drop : .accept
      }
    case .unhooked(let name): if withoutHash(chain.name) == name { chain.base = nil }
    case .set: break
    }
  }

  private func places(of site: RuleSite, in chain: Chain) -> [Int] {
    guard withoutHash(chain.name) == site.chain else { return [] }
    return chain.rules.indices.filter { RuleSite(chain.rules[$0], in: chain.name) == site }
  }
}

extension Mutation.SetSite {
  init(_ set: NamedSet) {
    // Sets of named ports can't be recognised by their names.
    self.init(
      role: withoutHash(set.name) + (set.origin?.portName == nil ? "" : " of a named port"), kind: set.kind.rawValue)
  }

  init(_ set: KeyedSet) {
    self.init(role: set.name, kind: set.isMap ? "map" : "keyed")
  }
}
