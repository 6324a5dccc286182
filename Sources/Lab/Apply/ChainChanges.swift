internal import NetpolModel
package import Rendering
package import RuleIR

/// The changes that turn one iptables table into another, as input of `iptables-restore --noflush`: one commit.
///
/// A chain is rewritten if the text of its rules differs, and otherwise not mentioned. So the order of rules is that of
/// the new table, and unchanged rules keep their counters.
package struct ChainChanges {
  private let table: Table
  private var declarations = ""
  private var rules = ""
  private var removals = ""

  /// Both tables have the same name, family and built-in chains.
  package init(from old: Table, to new: Table) throws(Unsupported) {
    table = new
    let before = Dictionary(old.chains.map { ($0.name, $0) }) { first, _ in first }
    let after = Set(new.chains.map(\.name))
    for chain in new.chains {
      let own = before[chain.name]
      if own?.rules == chain.rules { continue }
      let lines = try lines(of: chain)
      // Two rules may differ only in what they were made from.
      if let own, try self.lines(of: own) == lines { continue }
      // Declaring a user chain creates it or empties it. A built-in chain keeps its rules then.
      if chain.base == nil { declarations += ":\(chain.name) - [0:0]\n" } else { rules += "-F \(chain.name)\n" }
      rules += lines
    }
    for chain in old.chains where !after.contains(chain.name) {
      declarations += ":\(chain.name) - [0:0]\n"
      removals += "-X \(chain.name)\n"
    }
  }

  /// `nil` if nothing differs.
  package var text: String? {
    declarations.isEmpty && rules.isEmpty ? nil : "*\(table.name)\n\(declarations)\(rules)\(removals)COMMIT\n"
  }

  private func lines(of chain: Chain) throws(Unsupported) -> String {
    var text = ""
    for rule in chain.rules { text += "-A \(chain.name)\(try iptablesRuleText(rule, table.family))\n" }
    return text
  }
}
