internal import NetpolModel
internal import Rendering
internal import RuleIR
internal import Run

/// Commands that load the rules of a machine.
struct RuleCommands {
  private let machine: String
  private let backend: Ruleset.Backend

  /// `backend`: the style's, whose policies' tables they are.
  init(_ machine: String, _ backend: Ruleset.Backend) {
    self.machine = machine
    self.backend = backend
  }

  /// Adds commands that load everything, but the policies' rules only if `$1` is `policies`.
  /// Throws `Unsupported` or `NotExportable` for what the programs' languages can't express.
  func load(_ rulesets: [Ruleset], into script: inout ScriptText) throws {
    for (index, ruleset) in rulesets.enumerated() {
      try ruleset.requirePlainNames()
      switch ruleset.backend {
      case .iptables:
        let ofPolicies = ruleset.tables.filter { $0.name == "filter" }
        if !ofPolicies.isEmpty || !ruleset.sets.isEmpty {
          try script.block("if [ \"$1\" = policies ]; then", "fi") { script in
            if !ruleset.sets.isEmpty { script.add(command("ipset", "restore"), input: try ipsetText(ruleset.sets)) }
            for table in ofPolicies { try restore(table, into: &script) }
          }
        }
        for table in ruleset.tables where table.name != "filter" { try restore(table, into: &script) }
      case .nftables where backend == .nftables && index == 0:
        try script.block("if [ \"$1\" = policies ]; then", "fi") { try loadNft(ruleset, into: &$0) }
      case .nftables: try loadNft(ruleset, into: &script)
      }
    }
  }

  /// Adds commands that turn loaded rules into others.
  func change(_ old: [Ruleset], to new: [Ruleset], into script: inout ScriptText) throws {
    guard old.count == new.count, zip(old, new).allSatisfy({ $0.backend == $1.backend }) else {
      return try load(new, into: &script)
    }
    for (before, after) in zip(old, new) where before != after {
      try after.requirePlainNames()
      switch after.backend {
      case .nftables: try loadNft(after, into: &script)
      case .iptables:
        let text = try setChanges(before.sets, after.sets)
        if !text.isEmpty { script.add(command("ipset", "restore", "-exist"), input: text) }
        for table in after.tables where !before.tables.contains(table) { try restore(table, into: &script) }
      }
    }
  }

  private func command(_ words: String...) -> String { "ip netns exec \(machine) \(words.joined(separator: " "))" }

  private func restore(_ table: Table, into script: inout ScriptText) throws {
    let program = table.family == .v4 ? "iptables-restore" : "ip6tables-restore"
    script.add(command(program), input: try iptablesRestoreText(table))
  }

  /// The tables are made anew if they exist, in one transaction.
  private func loadNft(_ ruleset: Ruleset, into script: inout ScriptText) throws {
    let anew = ruleset.tables.map { table in
      let name = "table \(table.family.nft) \(table.name)"
      return "\(name)\ndelete \(name)\n"
    }
    script.add(command("nft", "-f", "-"), input: anew.joined() + (try nftText(ruleset)))
  }

  /// Without an option that older programs don't know and for which the kernel has the same default.
  private func ipsetText(_ sets: [NamedSet]) throws -> String {
    try ipsetRestoreText(sets).split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.hasSuffix(" bucketsize 12") ? line.dropLast(14) : line
    }.joined(separator: "\n")
  }

  private func setChanges(_ old: [NamedSet], _ new: [NamedSet]) throws -> String {
    var text = ""
    for set in new {
      guard let before = old.first(where: { $0.name == set.name }), before.kind == set.kind else {
        text += try ipsetText([set])
        continue
      }
      let (then, now) = (Set(before.stored), Set(set.stored))
      for member in before.stored where !now.contains(member) { text += "del \(set.name) \(member.cidr)\n" }
      let added = set.stored.filter { !then.contains($0) }
      var part = set
      part.members = added
      text += try ipsetText([part]).split(separator: "\n").filter { $0.hasPrefix("add ") }.map { "\($0)\n" }.joined()
    }
    return text
  }
}

extension Ruleset {
  /// Throws `NotExportable` if a name would mean something else in a script.
  fileprivate func requirePlainNames() throws(NotExportable) {
    let names =
      tables.map(\.name) + tables.flatMap(\.chains).map(\.name) + sets.map(\.name) + keyedSets.map(\.name)
    for name in names where !(name.split(separator: ":").map(String.init).allSatisfy(\.isPlain) && !name.isEmpty) {
      throw NotExportable("the rules have the name \(name.remark), which can't be written in a script")
    }
  }
}
