internal import Algorithms
package import Kernel
internal import NetpolModel
package import RuleIR

/// Changes the rules that are loaded on nodes to those of another cluster, with as few changes as possible.
package struct LiveRules {
  private let worker: NamespaceWorker
  private let loader: RuleLoader
  private let lock: XtablesLock

  package init(worker: NamespaceWorker) throws {
    self.worker = worker
    loader = try RuleLoader(worker: worker)
    lock = try XtablesLock()
  }

  /// Expects at most one iptables ruleset, and nftables rulesets whose first tables have different names. Returns what
  /// is
  /// loaded then, in the order of `new`. Throws what a loader throws; the change may then be half done.
  package func change(_ old: [Ruleset], to new: [Ruleset], in namespace: NetworkNamespace) throws -> [Ruleset] {
    var loaded: [Ruleset.Program: Ruleset] = [:]
    for name in (old + new).map(\.program).uniqued() {
      let before = old.first { $0.program == name } ?? Ruleset(backend: name.backend)
      let after = new.first { $0.program == name } ?? Ruleset(backend: name.backend)
      loaded[name] = before == after ? before : try change(before, to: after, in: namespace)
    }
    return new.map { loaded[$0.program] ?? $0 }
  }

  private func change(_ old: Ruleset, to new: Ruleset, in namespace: NetworkNamespace) throws -> Ruleset {
    switch new.backend {
    case .nftables: return try loader.replace(old, with: new, in: namespace)
    case .iptables:
      try changeTables(old, to: new, in: namespace)
      return new
    }
  }

  /// Sets are added before the rules that use them, and removed after the rules that used them.
  private func changeTables(_ old: Ruleset, to new: Ruleset, in namespace: NetworkNamespace) throws {
    let sets = try SetChanges(from: old.sets, to: new.sets)
    try worker.run(in: namespace) { try sets.additions.send(in: try NetlinkSocket(.netfilter)) }
    for table in new.tables where table != old.table(table.name, table.family) {
      if let own = old.table(table.name, table.family), own.hooks == table.hooks, table.name == "filter" {
        if let text = try FilterTableChanges(from: own, to: table).text {
          try restore(text, table.family, in: namespace)
        }
      } else {
        try loader.load(Ruleset(tables: [table]), in: namespace)
      }
    }
    let gone = old.tables.filter { new.table($0.name, $0.family) == nil }
    if !gone.isEmpty { try loader.unload(Ruleset(tables: gone), in: namespace) }
    try worker.run(in: namespace) { try sets.removals.send(in: try NetlinkSocket(.netfilter)) }
  }

  private func restore(_ text: String, _ family: IPFamily, in namespace: NetworkNamespace) throws {
    let command = lock.command(["\(family.iptables)-restore", "-w", "--noflush"], input: Array(text.utf8))
    _ = try command.run(in: namespace, on: worker).requireSuccess()
  }
}

extension Table {
  /// The built-in chains. Declaring one doesn't empty it, so their rules must not change.
  fileprivate var hooks: [Chain] { chains.filter { $0.base != nil } }
}
