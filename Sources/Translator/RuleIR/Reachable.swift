internal import NetpolModel

extension Ruleset {
  /// The rules that some packet can meet: without chains to which no base chain leads, and without the sets that only
  /// those use.
  ///
  /// kube-router writes a chain and sets for every policy on every node, also where it selects no pod. On a node with
  /// 100 of 10,000 pods these are six of seven sets.
  public var reachable: Ruleset {
    var part = self
    part.tables = tables.map { $0.reachable(keyedSets) }
    let names = part.tables.reduce(into: [IPFamily: Set<SetName>]()) { names, table in
      names[table.family, default: []].formUnion(table.chains.lazy.flatMap(\.rules).flatMap(\.setNames))
    }
    part.sets = sets.filter { names[$0.family]?.contains($0.name) == true }
    part.keyedSets = keyedSets.filter { names[$0.family]?.contains($0.name) == true }
    return part
  }
}

extension Table {
  fileprivate func reachable(_ keyedSets: [KeyedSet]) -> Table {
    let verdicts = Dictionary(
      keyedSets.lazy.filter { $0.family == family }.map { ($0.name, $0.elements.compactMap(\.chain)) }
    ) { first, _ in first }
    let rules = Dictionary(chains.map { ($0.name, $0.rules) }) { first, _ in first }
    var reached = Set(chains.lazy.filter { $0.base != nil }.map(\.name))
    var open = Array(reached)
    while let name = open.popLast() {
      for rule in rules[name] ?? [] {
        for next in rule.statements.flatMap(\.chains) + rule.setNames.flatMap({ verdicts[$0] ?? [] })
        where reached.insert(next).inserted {
          open.append(next)
        }
      }
    }
    var part = self
    part.chains = chains.filter { reached.contains($0.name) }
    return part
  }
}

extension Rule {
  /// The sets and maps that it looks into.
  fileprivate var setNames: [SetName] {
    matches.compactMap { if case .inSet(_, let name, _) = $0 { name } else { nil } } + keyedLookups.map(\.0)
  }
}
