internal import NetpolModel
internal import RuleIR

/// One table of the dump and of the style, with our names replaced by the node's wherever only names differ.
struct ComparedTable {
  let real, table: Table
  let onNode, ours: TableSide
  let freedoms: NamedPortFreedoms
  /// The node's names of our sets, where they differ.
  let setNames: [SetName: SetName]

  init(_ real: Table, _ table: Table, _ node: NodeRules, _ stated: StatedRules, _ traces: Traces, namesHold: Bool) {
    self.real = real
    self.table = table
    let onNode = TableSide(
      node.chains(of: real, traces), node.sets.filter { $0.family == table.family && traces.isSet($0.name) },
      table.family, node.backend)
    var ours = TableSide(
      Dictionary(table.chains.map { ($0.name, $0) }) { first, _ in first },
      stated.sets.filter { $0.family == table.family }, table.family, node.backend)
    if !namesHold { ours.rename(chains: pairChains(onNode, ours)) }
    freedoms = NamedPortFreedoms(ours)
    setNames = freedoms.pairSets(onNode, ours)
    ours.rename(sets: setNames)
    self.onNode = onNode
    self.ours = ours
  }
}
