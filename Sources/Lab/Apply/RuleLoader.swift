internal import Algorithms
public import Kernel
public import NetpolModel
internal import Rendering
public import RuleIR

/// Loads rulesets into the kernel: nftables and ipsets over netlink, iptables tables through `iptables-restore`.
public struct RuleLoader: Sendable {
  private let worker: NamespaceWorker
  private let lock: XtablesLock

  public init(worker: NamespaceWorker) throws(KernelError) {
    self.worker = worker
    lock = try XtablesLock()
  }

  /// Loads a ruleset into a namespace that has none of its chains and sets yet. A table is replaced as a whole.
  ///
  /// Throws `RefusedNftObject` if nf_tables refuses a rule or set, `RefusedRule` if a restore program refuses a line,
  /// `KernelError` if ipset refuses a set or an element, and `Unsupported` if the back end can't express a rule.
  public func load(_ ruleset: Ruleset, in namespace: NetworkNamespace) throws {
    if ruleset.backend == .nftables { return try loadNftables(ruleset, in: namespace, on: worker) }
    try load(ruleset.sets, in: namespace)
    for table in ruleset.tables {
      try restore(RestoreParts(loadable: Array(try iptablesRestoreText(table).utf8)), table, in: namespace)
    }
  }

  private func restore(_ text: RestoreParts, _ table: Table, in namespace: NetworkNamespace) throws {
    for part in text.parts {
      let arguments =
        ["\(table.family.iptables)-restore", "-w", "-T", table.name] + (part.appends ? ["--noflush"] : [])
      var command = lock.command(arguments, input: part.text)
      // The rules of ten thousand Services take iptables-restore up to a minute.
      command.timeout = .seconds(600)
      let result = try command.run(in: namespace, on: worker)
      guard result.succeeded else { throw RefusedRule(result, text: String(decoding: part.text, as: UTF8.self)) }
    }
  }

  /// Replaces one ruleset with another, and returns what is loaded then: the new ruleset, except for sets that keep a
  /// larger or smaller size than it gives them. Existing connections stay as they are. With nftables, the differences
  /// are sent in one transaction if the socket's buffer can be large enough for it.
  @discardableResult
  public func replace(_ old: Ruleset, with new: Ruleset, in namespace: NetworkNamespace) throws -> Ruleset {
    if old.backend == .nftables, new.backend == .nftables {
      let changes = old.changes(to: new)
      if try changeNftables(old, changes, in: namespace, on: worker) { return old.applying(changes) }
    }
    try unload(old, in: namespace)
    try load(new, in: namespace)
    return new
  }

  /// Deletes a ruleset's tables and sets. Of iptables' tables, the built-in chains stay.
  public func unload(_ ruleset: Ruleset, in namespace: NetworkNamespace) throws {
    if ruleset.backend == .nftables { return try unloadNftables(ruleset, in: namespace, on: worker) }
    try load(Ruleset(tables: ruleset.tables.map(\.emptied)), in: namespace)
    try worker.run(in: namespace) {
      let socket = try NetlinkSocket(.netfilter)
      var batch = IPSetBatch()
      for set in ruleset.sets { batch.destroy(set.name) }
      try batch.send(in: socket)
    }
  }

  /// Empties the filter tables and destroys all sets of a namespace.
  public func clear(_ families: [IPFamily], in namespace: NetworkNamespace) throws {
    let hooks: [(String, Hook)] = [("INPUT", .input), ("FORWARD", .forward), ("OUTPUT", .output)]
    let empty = families.map { family in
      Table(name: "filter", family: family, chains: hooks.map { Chain(name: $0.0, base: .init($0.1)) })
    }
    try load(Ruleset(tables: empty), in: namespace)
    try worker.run(in: namespace) {
      let socket = try NetlinkSocket(.netfilter)
      var batch = IPSetBatch()
      for set in try IPSetListing.list(in: socket) { batch.destroy(set.name) }
      try batch.send(in: socket)
    }
  }

  private func load(_ sets: [NamedSet], in namespace: NetworkNamespace) throws {
    try send(try SetChanges(from: [], to: sets).additions, in: namespace)
  }

  private func send(_ batch: IPSetBatch, in namespace: NetworkNamespace) throws {
    if batch.isEmpty { return }
    try worker.run(in: namespace) { try batch.send(in: try NetlinkSocket(.netfilter)) }
  }
}

extension RuleLoader {
  /// Replaces all rulesets of a node. What old and new have in common stays as it is: tables, chains and sets. Returns
  /// what is loaded then: the new rulesets, except for sizes of nft sets. Give that as `old` the next time.
  ///
  /// Base chains with the same priority are in the order in which they were made. So if one comes, goes or changes, all
  /// rulesets are loaded anew. So they are if nf_tables can't take the changes in one transaction, or if an ipset's
  /// type
  /// changes. Throws what `load` throws. The change may then be half done.
  public func replace(
    _ old: [Ruleset], with new: [Ruleset], in namespace: NetworkNamespace
  ) throws -> [Ruleset] {
    if old == new { return old }
    guard old.map(\.frame) == new.map(\.frame) else { return try reload(old, as: new, in: namespace) }
    var loaded = old
    for index in old.indices {
      guard let changed = try change(old[index], to: new[index], in: namespace) else {
        return try reload(loaded, as: new, in: namespace)
      }
      loaded[index] = changed
    }
    return loaded
  }

  /// Unloads all rulesets of a node, and loads others.
  public func reload(_ old: [Ruleset], as new: [Ruleset], in namespace: NetworkNamespace) throws -> [Ruleset] {
    for rules in old { try unload(rules, in: namespace) }
    for rules in new { try load(rules, in: namespace) }
    return new
  }

  /// Returns what is loaded then, or `nil` if it can't be changed and hasn't been.
  private func change(_ old: Ruleset, to new: Ruleset, in namespace: NetworkNamespace) throws -> Ruleset? {
    if old == new { return old }
    switch new.backend {
    case .nftables:
      let changes = old.changes(to: new)
      return try changeNftables(old, changes, in: namespace, on: worker) ? old.applying(changes) : nil
    case .iptables:
      guard let sets = try SetChanges(keepingKindsFrom: old.sets, to: new.sets) else { return nil }
      // Rules that use a set come after it and go before it.
      try send(sets.additions, in: namespace)
      for (own, table) in zip(old.tables, new.tables) {
        guard let text = try ChainChanges(from: own, to: table).text else { continue }
        try restore(RestoreParts(loadableChanges: Array(text.utf8)), table, in: namespace)
      }
      try send(sets.removals, in: namespace)
      return new
    }
  }
}

extension Ruleset {
  /// The tables and where they are attached to the kernel's hooks. Only that has an order among rulesets.
  fileprivate var frame: Ruleset {
    Ruleset(
      backend: backend,
      tables: tables.map { table in
        Table(
          name: table.name, family: table.family,
          chains: table.chains.filter { $0.base != nil }.map {
            Chain(name: $0.name, base: $0.base, comment: $0.comment)
          }, comment: table.comment)
      })
  }
}

/// A rule that a restore program refused.
public struct RefusedRule: Error, CustomStringConvertible {
  public let program: String
  /// The line of the restore input, from 1; `nil` if the program names none.
  public let line: Int?
  /// The text of that line.
  public let rule: String?
  public let message: String

  init(_ result: CommandResult, text: String) {
    program = result.arguments.first ?? "iptables-restore"
    let said = String(decoding: result.stderr, as: UTF8.self).split(separator: "\n").joined(separator: "; ")
    message = said.isEmpty ? result.ending.description : said
    // "iptables-restore: line 12 failed", "Error occurred at line: 12".
    let words = message.split { !$0.isLetter && !$0.isNumber }.map(String.init)
    let number = words.adjacentPairs().firstNonNil { $0 == "line" ? Int($1) : nil }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    line = number
    rule = number.flatMap { (1...lines.count).contains($0) ? String(lines[$0 - 1]) : nil }
  }

  public var description: String {
    "\(program) refused the rules: \(message)" + (rule.map { " (\($0))" } ?? "")
  }
}
