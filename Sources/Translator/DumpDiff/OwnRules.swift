internal import Dumps
internal import NetpolModel
public import RuleIR

/// A rule of the enforcer that can't be judged, since it can't be expressed.
public struct UnreadOwnRule: Error, CustomStringConvertible {
  public let description: String
}

extension NodeRules {
  /// The enforcer's rules and sets alone, ready to be run: those of other programs are left out. Throws `UnreadOwnRule`
  /// if one of its rules could not be read.
  public func own(_ traces: Traces) throws(UnreadOwnRule) -> Ruleset {
    if let rule = unreadRules.first(where: { traces.isChain($0.chain) }) {
      throw UnreadOwnRule(
        description:
          "line \(rule.line) of the dump: \(rule.text): what this rule means is not known, so nothing can be "
          + "said about the chain \(rule.chain)")
    }
    var tables: [Table] = []
    for var table in self.tables where backend == .iptables || traces.isTable(table.name) {
      let own = chains(of: table, traces)
      table.chains = table.chains.compactMap { own[$0.name] }
      if backend == .nftables || table.chains.contains(where: { !$0.rules.isEmpty }) { tables.append(table) }
    }
    return Ruleset(backend: backend, tables: tables, sets: sets, keyedSets: keyedSets).reachable
  }
}
