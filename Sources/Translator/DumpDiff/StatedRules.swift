internal import Dumps
internal import NetpolModel
internal import Rendering
internal import RuleIR

/// A style's rules in the form that a dump would have, with their origins.
struct StatedRules {
  var tables: [Table]
  let sets: [NamedSet]
  let keyedSets: [KeyedSet]

  init(_ ruleset: Ruleset) throws {
    sets = ruleset.sets
    keyedSets = ruleset.keyedSets
    switch ruleset.backend {
    case .iptables:
      tables = try ruleset.tables.flatMap { table in
        try readIptablesSave(try iptablesRestoreText(table), family: table.family, file: "rendered").tables
      }
    case .nftables: tables = try readNftList(try nftText(ruleset), file: "rendered").tables
    }
    for index in tables.indices {
      guard let source = ruleset.table(tables[index].name, tables[index].family) else { continue }
      for chain in tables[index].chains.indices {
        let origins = source.chain(tables[index].chains[chain].name)?.rules.map(\.origin) ?? []
        for (rule, origin) in zip(tables[index].chains[chain].rules.indices, origins) {
          tables[index].chains[chain].rules[rule].origin = origin
        }
      }
    }
  }
}
