internal import Dumps
internal import NetpolModel
internal import Rendering
package import RuleIR

/// Rules and sets of a node as its kernel stores them, in the notation of its listings. Everything that has no meaning
/// there is left out, so that what was read can equal what was expected.
package struct StoredRules: Equatable {
  private struct Members: Equatable {
    var kind: String
    var members: Set<String>
  }

  /// The lines of each chain, by family, table and name. An empty built-in chain that accepts counts as missing.
  private var chains: [String: [String]] = [:]
  private var sets: [String: Members] = [:]

  /// The rules that a node should have. Throws if they can't be expressed in the language of their back end.
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

  /// The rules that a node was found to have.
  init(_ iptables: [IptablesDump], _ ipset: IpsetDump, _ nft: NftDump) {
    add(iptables.flatMap(\.tables), ipset.sets, [], .iptables)
    add(nft.tables, nft.sets, nft.keyedSets, .nftables)
    for name in ipset.foreign.map(\.name) { sets["foreign \(name)"] = Members(kind: "foreign", members: []) }
  }

  /// The differences from `target`, one line per chain or set.
  package func differences(from target: StoredRules) -> [String] {
    let names = Set(chains.keys).union(target.chains.keys).sorted().filter { chains[$0] != target.chains[$0] }
    var lines = names.map { name -> String in
      guard let found = chains[name] else { return "chain \(name) is missing" }
      guard let wanted = target.chains[name] else { return "chain \(name) should not exist" }
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
        lines.append("set \(name) \(sets[name] == nil ? "is missing" : "should not exist")")
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
        // The order of pods has no meaning in these chains, and changes keep the old order.
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
      // The size is left out: a set may still have the size that it was created with.
      sets["\(backend.rawValue) \(set.family.rawValue) \(set.name)"] = Members(
        kind:
          "\(set.fields.map(\.rawValue))\(set.hasRanges ? " ranges" : "")\(set.isMap ? " to \(set.content.rawValue)" : "")",
        members: Set(
          set.elements.map {
            "\($0.key)\($0.through.map { "-\($0)" } ?? "")\($0.value.map { ": \($0)" } ?? "")\($0.comment ?? "")"
          }))
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
