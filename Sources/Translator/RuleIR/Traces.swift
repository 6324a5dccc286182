/// By what one program's rules and sets are known on a node where others write too: names and comments, since a dump says
/// nothing else of whose something is.
public struct Traces: Sendable {
  /// With nft a table is one program's; with iptables all share the tables.
  public var isTable: @Sendable (String) -> Bool
  public var isChain: @Sendable (ChainName) -> Bool
  public var isSet: @Sendable (SetName) -> Bool
  /// Of a rule in a built-in chain of iptables.
  public var isBuiltInRule: @Sendable (Rule) -> Bool

  public init(
    isTable: @escaping @Sendable (String) -> Bool, isChain: @escaping @Sendable (ChainName) -> Bool,
    isSet: @escaping @Sendable (SetName) -> Bool, isBuiltInRule: @escaping @Sendable (Rule) -> Bool
  ) {
    self.isTable = isTable
    self.isChain = isChain
    self.isSet = isSet
    self.isBuiltInRule = isBuiltInRule
  }

  /// Of a program of which nothing is known but what it writes here: these names and rules, and no others.
  public init(of ruleset: Ruleset) {
    let tables = Set(ruleset.tables.map(\.name))
    let chains = DumpNames.own(ruleset.tables, ruleset.backend).chains
    let sets = Set(ruleset.sets.map(\.name) + ruleset.keyedSets.map(\.name))
    let rules = Set(ruleset.tables.flatMap(\.chains).filter { $0.base != nil }.flatMap(\.rules).map(\.asDumped))
    self.init(
      isTable: tables.contains, isChain: chains.contains, isSet: sets.contains,
      isBuiltInRule: { rules.contains($0.asDumped) })
  }
}

extension Rule {
  /// Without what no dump says.
  fileprivate var asDumped: Rule { Rule(matches, statements, comment: comment) }
}
