internal import NetpolModel
package import Rendering
package import RuleIR

/// The changes that turn one filter table into another, as input of `iptables-restore --noflush`: one commit.
///
/// In chains that jump to pods, rules are exchanged one by one, because a node has hundreds of them. Any other chain
/// that differs is rewritten. The order of pods doesn't matter.
package struct FilterTableChanges {
  private var declarations = ""
  private var rules = ""
  private var removals = ""

  package init(from old: Table, to new: Table) throws(Unsupported) {
    let before = Dictionary(old.chains.map { ($0.name, $0) }) { first, _ in first }
    let after = Set(new.chains.map(\.name))
    for chain in new.chains where before[chain.name]?.rules != chain.rules {
      if let own = before[chain.name], try exchange(own, chain, new.family) { continue }
      try rewrite(chain, new.family)
    }
    for chain in old.chains where !after.contains(chain.name) {
      declarations += ":\(chain.name) - [0:0]\n"
      removals += "-X \(chain.name)\n"
    }
  }

  /// `nil` if nothing differs.
  package var text: String? {
    declarations.isEmpty && rules.isEmpty ? nil : "*filter\n\(declarations)\(rules)\(removals)COMMIT\n"
  }

  /// Rewrites a chain. Declaring the chain empties it.
  private mutating func rewrite(_ chain: Chain, _ family: IPFamily) throws(Unsupported) {
    declarations += ":\(chain.name) - [0:0]\n"
    for rule in chain.rules { rules += "-A \(chain.name)\(try iptablesRuleText(rule, family))\n" }
  }

  /// Exchanges single rules. Returns false if that isn't possible: the chains differ in more than rules that jump to a
  /// pod's chain.
  private mutating func exchange(_ old: Chain, _ new: Chain, _ family: IPFamily) throws(Unsupported) -> Bool {
    // All rules of a pod's own chain belong to that pod, and kube-router defines their order.
    guard new.origin?.pod == nil,
      old.rules.filter({ $0.origin?.pod == nil }) == new.rules.filter({ $0.origin?.pod == nil }),
      let place = new.rules.firstIndex(where: { $0.origin?.pod != nil })
        ?? old.rules.firstIndex(where: { $0.origin?.pod != nil })
    else { return false }
    let (before, after) = (Set(old.rules), Set(new.rules))
    guard before.count == old.rules.count, after.count == new.rules.count else { return false }
    for rule in old.rules where !after.contains(rule) {
      rules += "-D \(new.name)\(try iptablesRuleText(rule, family))\n"
    }
    for rule in new.rules.reversed() where !before.contains(rule) {
      rules += "-I \(new.name) \(place + 1)\(try iptablesRuleText(rule, family))\n"
    }
    return true
  }
}
