internal import Dumps
internal import Kernel
internal import Lowering
internal import NetpolModel
internal import Rendering
internal import RuleIR

/// A sync with nft, one process per transaction. The steps are those of `fullPolicySync` in kube-router's
/// `pkg/controllers/netpol/npc_nftables.go`.
struct NftSync: AgentBackend {
  private let style: EnforcementStyle
  /// The style's rules for a node without pods and policies.
  private let fixed: Ruleset

  init(_ style: EnforcementStyle, _ view: NodeView) {
    self.style = style
    fixed = style.lower(view.withoutObjects).ruleset
  }

  /// Existing base chains keep their rules, which stay in effect until the first sync.
  func setUp(_ run: inout SyncRun) throws {
    try run.step(.ensure) { run in
      for table in fixed.tables {
        try run.run(["nft", "--version"]).requireSuccess()
        var commands = NftCommands(to: table)
        commands.addTable(comment: "test")
        try run.run(["nft", "--check", "-f", "-"], input: Array(commands.text.utf8)).requireSuccess()
        try run.transaction(table) { $0.addTable(comment: table.comment) }.requireSuccess()
      }
      for table in fixed.tables {
        try run.transaction(table) { commands in
          for chain in table.chains where chain.base != nil { commands.addEmpty(chain) }
        }.requireSuccess()
      }
      try ensure("KUBE-NWPLCY-DEFAULT", &run)
      try ensure("KUBE-NWPLCY-COMMON", &run)
    }
  }

  func sync(_ run: inout SyncRun, _ view: () -> NodeView) throws {
    try run.step(.ensure) { run in
      try ensure("KUBE-NWPLCY-DEFAULT", &run)
      try ensure("KUBE-NWPLCY-COMMON", &run)
      // Together with the set of local pods, which its rules may use.
      try ensure("KUBE-NWPLCY-TAIL", with: fixed.sets, &run)
    }
    let current = run.step(.lower) { run in
      let view = view()
      run.know(view)
      return NftObjects(style.lower(view))
    }
    try run.step(.policyChains) { run in
      for objects in current.policies.shuffled() {
        // A refused policy is left out, and its pods fail closed (D12).
        _ = try run.transaction(objects.table) { try objects.write(to: &$0) }
      }
    }
    try run.step(.podChains) { run in
      // All are tried before the sync is aborted.
      let results = try current.pods.shuffled().map { objects in
        try run.transaction(objects.table) { try objects.write(to: &$0) }
      }
      for result in results { try result.requireSuccess() }
    }
    for (table, set) in current.localPods where run.record.view?.defaultDeny == true {
      _ = try run.step(.localPods, table.family) { try $0.transaction(table) { $0.refill(set) } }
    }
    for table in current.tables {
      let base = table.chains.filter { $0.base != nil }
      try run.step(.baseChains, table.family) { run in
        let result = try run.transaction(table) { commands in
          for chain in base { commands.renew(chain) }
          for chain in base { try commands.addRules(of: chain) }
        }
        _ = try result.requireSuccess()
      }
    }
    try run.step(.cleanUp) { try cleanUp(current, &$0) }
  }

  private func ensure(_ name: ChainName, with sets: [NamedSet] = [], _ run: inout SyncRun) throws {
    for table in fixed.tables {
      guard let chain = table.chain(name) else { continue }
      _ = try run.transaction(table) { commands in
        commands.renew(chain)
        for set in sets where set.family == table.family { try commands.addEmpty(set) }
        try commands.addRules(of: chain)
      }
    }
  }

  /// Deletes pod chains, then policy chains, then sets, since each refers to the next. What can't be deleted stays
  /// until the next sync.
  private func cleanUp(_ current: NftObjects, _ run: inout SyncRun) throws {
    let fixedChains = Set(fixed.tables.flatMap { $0.chains.map(\.name) })
    for prefix in ["KUBE-POD-FW-", "KUBE-NWPLCY-"] {
      for table in current.tables {
        let stale = try run.names(in: table).chains.filter {
          $0.hasPrefix(prefix) && !fixedChains.contains($0) && !current.chains.contains($0)
        }
        if stale.isEmpty { continue }
        _ = try run.transaction(table) { commands in
          for chain in stale { commands.flush(chain: chain) }
        }
        for chain in stale { _ = try run.transaction(table) { $0.delete(chain: chain) } }
      }
    }
    for table in current.tables {
      for set in try run.names(in: table).sets where set.hasPrefix("KUBE-SRC-") || set.hasPrefix("KUBE-DST-") {
        if !current.sets.contains(set) { _ = try run.transaction(table) { $0.delete(set: set) } }
      }
    }
  }
}

extension SyncRun {
  /// Runs one `nft -f -`. Any exit status is a result.
  fileprivate mutating func transaction(
    _ table: Table, _ body: (inout NftCommands) throws -> Void
  ) throws -> CommandResult {
    var commands = NftCommands(to: table)
    try body(&commands)
    return try run(["nft", "-f", "-"], input: Array(commands.text.utf8))
  }

  fileprivate mutating func names(in table: Table) throws -> NftObjectNames {
    let arguments = ["nft", "--json", "--terse", "list", "table", table.family.nft, table.name]
    return try NftObjectNames(try run(arguments).requireSuccess().text, file: "nft list table \(table.name)")
  }
}
