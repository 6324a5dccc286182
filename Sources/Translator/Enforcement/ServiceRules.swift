internal import NetpolModel
internal import RuleIR

extension EnforcedCluster {
  /// By node: a number that nodes share if they translate and refuse services' packets by the same rules. Policies'
  /// rules,
  /// and those that name the node's own networks, are left out.
  public var serviceRuleClasses: [String: Int] {
    var numbers: [Int: Int] = [:]
    return rulesets.mapValues { rulesets in
      var hasher = Hasher()
      for ruleset in rulesets {
        for table in ruleset.tables {
          for chain in table.chains where chain.isForServices {
            hasher.combine(table.name)
            hasher.combine(table.family)
            hasher.combine(chain)
          }
        }
        hasher.combine(ruleset.keyedSets)
      }
      return numbers.numbering(hasher.finalize())
    }
  }
}

extension Chain {
  /// Whether the rules are neither those of policies and pods nor those of a node's networks, which differ everywhere.
  fileprivate var isForServices: Bool {
    origin == nil && !rules.contains { $0.origin != nil } && !name.hasPrefix("FLANNEL-")
  }
}

extension [Int: Int] {
  fileprivate mutating func numbering(_ hash: Int) -> Int {
    let number = self[hash, default: count]
    self[hash] = number
    return number
  }
}
