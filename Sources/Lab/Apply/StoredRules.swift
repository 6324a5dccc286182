internal import Dumps
internal import NetpolModel
internal import Rendering
package import RuleIR

/// Rules and sets of a node as its kernel stores them, in the words of its listings: whatever means nothing there is left
/// out, and so what was read and what should be there can be equal.
package struct StoredRules: Equatable {
  private struct Members: Equatable {
    var kind: String
    var members: Set<String>
  }

  /// Lines of each chain, by family, table and name. A built-in chain that does nothing is as good as none.
  private var chains: [String: [String]] = [:]
  private var sets: [String: Members] = [:]

  /// What a node should hold. Throws where the rules can't be said in the language of their back end.
  package init(_ rulesets: [Ruleset]) throws {
    for ruleset in rulesets {
      switch ruleset.backend {
      case .iptables:
        let tables = try ruleset.tables.flatMap { table in
          try readIptablesSave(
            try iptablesRestoreText(table), family: table.family, file: "target", required: { _ in true }
          ).tables
        }
        add(tables, ruleset.sets, [], .iptables)
      case .nftables:
        let dump = try readNftList(try nftText(ruleset), file: "target", required: { _ in true })
        add(dump.tables, dump.sets, dump.keyedSets, .nftables)
      }
    }
  }

  /// What a node was seen to hold.
  init(_ iptables: [IptablesDump], _ ipset: IpsetDump, _ nft: NftDump) {
    add(iptables.flatMap(\.tables), ipset.sets, [], .iptables)
    add(nft.tables, nft.sets, nft.keyedSets, .nftables)
    for name in ipset.foreign.map(\.name) { sets["foreign \(name)"] = Members(kind: "foreign", members: []) }
  }

  /// What is not as it should be, each chain and set in one line.
  package func differences(from target: StoredRules) -> [String] {
    let names = Set(chains.keys).union(target.chains.keys).sorted().filter { chains[$0] != target.chains[$0] }
    var lines = names.map { name -> String in
      guard let found = chains[name] else { return "chain \(name) is not there" }
      guard let wanted = target.chains[name] else { return "chain \(name) is there, and should not be" }
      let changes = wanted.difference(from: found).map { change -> String in
        switch change {
        case .insert(_, let line, _): "lacks \(line)"
        case .remove(_, let line, _): "has \(line)"
        }
      }
      return "chain \(name) \(changes.joined(separator: ", "))"
    }
    for name in Set(sets.keys).union(target.sets.keys).sorted() where sets[name] != target.sets[name] {
      guard let found = sets[name], let wanted = target.sets[name] else {
        lines.append("set \(name) is \(sets[name] == nil ? "not there" : "there, and should not be")")
        continue
      }
      let (less, more) = (wanted.members.subtracting(found.members), found.members.subtracting(wanted.members))
      lines.append("set \(name) (\(found.kind)) lacks \(less.sorted()), has \(more.sorted())")
    }
    return lines
  }

  private mutating func add(
    _ tables: [Table], _ named: [NamedSet], _ keyed: [KeyedSet], _ backend: Ruleset.Backend
  ) {
    for table in tables {
      for chain in table.chains {
        if backend == .iptables, let base = chain.base, base.policy == .accept, chain.rules.isEmpty { continue }
        var lines = chain.rules.map { line($0, table.family, backend) }
        // In which order pods stand there means nothing, and changes keep the old one.
        if backend == .iptables, chain.name.hasPrefix("KUBE-ROUTER-") { lines.sort() }
        let head = chain.base.map { "hook \($0.hook) priority \($0.priority) policy \($0.policy)" } ?? "no hook"
        chains["\(table.family.rawValue) \(table.name) \(chain.name)"] = [head] + lines
      }
    }
    for set in named {
      sets["\(backend.rawValue) \(set.family.rawValue) \(set.name)"] = Members(
        kind: set.kind.rawValue,
        members: Set(set.stored.map { "\($0.cidr)\($0.nomatch ? " nomatch" : "")" }))
    }
    for set in keyed {
      // Its size may be the one that it began with.
      sets["\(backend.rawValue) \(set.family.rawValue) \(set.name)"] = Members(
        kind: "\(set.fields.map(\.rawValue))\(set.hasRanges ? " ranges" : "")\(set.isMap ? " map" : "")",
        members: Set(
          set.elements.map { "\($0.key)\($0.through.map { "-\($0)" } ?? "")\($0.mark.map { ": \($0)" } ?? "")" }))
    }
  }

  private func line(_ rule: Rule, _ family: IPFamily, _ backend: Ruleset.Backend) -> String {
    let text =
      switch backend {
      case .iptables: try? iptablesRuleText(rule, family)
      case .nftables: try? nftRuleText(rule, family)
      }
    return text ?? "\(rule)"
  }
}
