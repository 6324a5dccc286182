/// Recognises one program's rules and sets on a node where other programs write too. Only names and comments can show
/// this, because a dump contains nothing else about the owner.
public struct Traces: Sendable {
  /// With nft a table belongs to one program. With iptables all programs share the tables.
  public var isTable: @Sendable (String) -> Bool
  public var isChain: @Sendable (ChainName) -> Bool
  public var isSet: @Sendable (SetName) -> Bool
  /// For rules in built-in chains of iptables.
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

  /// For a program that is known only by this ruleset: recognises exactly these names and rules.
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
  /// Without the parts that a dump doesn't contain.
  fileprivate var asDumped: Rule { Rule(matches, statements, comment: comment) }
}
