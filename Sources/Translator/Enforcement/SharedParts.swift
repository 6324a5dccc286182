internal import NetpolModel
internal import RuleIR

/// Chains and sets that several nodes have, each kept in memory once.
struct SharedParts {
  private struct ChainPlace: Hashable {
    let table: String
    let family: IPFamily
    let chain: ChainName
  }
  private var chains: [ChainPlace: Chain] = [:]
  private var sets: [SetPlace: NamedSet] = [:]

  /// The same ruleset, with the parts that an earlier one has.
  mutating func sharing(_ ruleset: Ruleset) -> Ruleset {
    var ruleset = ruleset
    for index in ruleset.sets.indices {
      let set = ruleset.sets[index]
      let place = SetPlace(set: set.name, family: set.family)
      if let known = sets[place], known == set { ruleset.sets[index] = known } else { sets[place] = set }
    }
    for table in ruleset.tables.indices {
      for index in ruleset.tables[table].chains.indices {
        let chain = ruleset.tables[table].chains[index]
        let place = ChainPlace(
          table: ruleset.tables[table].name, family: ruleset.tables[table].family, chain: chain.name)
        if let known = chains[place], known == chain {
          ruleset.tables[table].chains[index] = known
        } else {
          chains[place] = chain
        }
      }
    }
    return ruleset
  }
}
