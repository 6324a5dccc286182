internal import Lowering
internal import NetpolModel
internal import Rendering
internal import RuleIR

/// A style's chains and sets, grouped into kube-router's transactions.
struct NftObjects {
  /// The chains and sets of one policy or pod, in one family.
  struct Group {
    let table: Table
    var chains: [Chain] = []
    var sets: [NamedSet] = []

    /// Chains and sets come before the rules, which refer to them.
    func write(to commands: inout NftCommands) throws(Unsupported) {
      for chain in chains { commands.renew(chain) }
      for set in sets { try commands.renew(set) }
      for chain in chains.reversed() { try commands.addRules(of: chain) }
    }
  }

  let tables: [Table]
  /// Includes those that nft will refuse.
  private(set) var policies: [Group] = []
  private(set) var pods: [Group] = []
  private(set) var localPods: [(table: Table, set: NamedSet)] = []
  private(set) var chains: Set<ChainName> = []
  private(set) var sets: Set<SetName> = []

  init(_ lowered: Lowered) {
    tables = lowered.ruleset.tables
    for table in tables {
      let refused = lowered.refused?.table(table.name, table.family)?.chains ?? []
      let head = Table(name: table.name, family: table.family)
      // The key joins both names, as the names of chains and sets do. Policies with the same key share a transaction.
      var groups: [String: Group] = [:]
      for chain in table.chains + refused {
        if let policy = chain.origin?.policy {
          groups[policy.namespace + policy.name, default: Group(table: head)].chains.append(chain)
        } else if chain.origin?.pod != nil {
          pods.append(Group(table: head, chains: [chain]))
        }
        chains.insert(chain.name)
      }
      for set in lowered.ruleset.sets + (lowered.refused?.sets ?? []) where set.family == table.family {
        if let policy = set.origin?.policy {
          groups[policy.namespace + policy.name, default: Group(table: head)].sets.append(set)
          sets.insert(set.name)
        } else {
          localPods.append((head, set))
        }
      }
      policies += groups.values
    }
  }
}
