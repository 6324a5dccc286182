import Foundation
import Lowering
import NetpolModel
import Rendering
import RuleIR
import TestSupport
import Testing

extension GoldenCase {
  /// The real dump and our rules for one family.
  func dumps(_ lowered: Lowered, _ family: IPFamily) throws -> (real: Dump, ours: Dump) {
    let prefix = { (line: Substring) in
      line.split(separator: " ").dropFirst().first?.hasPrefix("inet6:") == (family == .v6)
    }
    let sets = try text("ipset-save.txt").split(separator: "\n").filter(prefix).joined(separator: "\n")
    let table = try #require(lowered.ruleset.table("filter", family))
    return (
      Dump(iptablesSave: try text(family == .v4 ? "iptables-save.txt" : "ip6tables-save.txt"), ipsetSave: sets),
      Dump(
        iptablesSave: try iptablesRestoreText(table),
        ipsetSave: try ipsetRestoreText(lowered.ruleset.sets.filter { $0.family == family }))
    )
  }
}
