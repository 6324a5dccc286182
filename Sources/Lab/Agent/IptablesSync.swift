internal import Apply
internal import Kernel
internal import Lowering
internal import NetpolModel
internal import Rendering
internal import RuleIR

/// A sync with iptables and ipset. The steps are those of `fullPolicySync` in kube-router's
/// `pkg/controllers/netpol/npc_iptables.go` (in 2.6 `network_policy_controller.go`).
struct IptablesSync: AgentBackend {
  private let style: EnforcementStyle
  private let checks: IptablesChecks

  init(_ style: EnforcementStyle, _ view: NodeView) {
    self.style = style
    checks = IptablesChecks(style, view)
  }

  func setUp(_ run: inout SyncRun) throws { try run.step(.ensure) { try checks.setUp(&$0) } }

  func sync(_ run: inout SyncRun, _ view: () -> NodeView) throws {
    try run.step(.ensure) { try checks.ensure(&$0) }
    let lowered = run.step(.lower) { run in
      let view = view()
      run.know(view)
      return style.lower(view)
    }
    let tables = (lowered.refused ?? lowered.ruleset).tables
    let sets = lowered.ruleset.sets.filter { $0.origin != nil }
    let localPods = lowered.ruleset.sets.filter { $0.origin == nil }

    var texts: [FilterTableText] = []
    for table in tables {
      texts.append(
        FilterTableText(
          saved: try run.step(.saveRules, table.family) { run in
            try run.run(["\(table.family.iptables)-save", "-t", "filter"]).requireSuccess().stdout
          }))
    }
    try restore(sets, tables, &texts, &run)
    try run.step(.composeRules) { _ in
      for index in tables.indices { try writePods(tables[index], into: &texts[index]) }
    }
    for set in localPods { try run.step(.localPods, set.family) { try refill(set, &$0) } }
    let inputs = try run.step(.composeRules) { run in
      for index in tables.indices { try writeEnds(tables[index], into: &texts[index], &run) }
      var (pods, policies): ([ChainName], [ChainName]) = ([], [])
      return try tables.indices.map { index in
        // The lists grow from one family to the next, as in kube-router.
        try addStaleChains(of: tables[index], toPods: &pods, toPolicies: &policies, &run)
        return texts[index].restoreText(without: StaleNames(pods: pods, policies: policies))
      }
    }
    for (table, input) in zip(tables, inputs) {
      try run.step(.restoreRules, table.family) { run in
        let arguments = ["\(table.family.iptables)-restore", "--wait", "-T", "filter"]
        for part in RestoreParts(loadable: input).parts {
          _ = try run.run(arguments + (part.appends ? ["--noflush"] : []), input: part.text).requireSuccess()
        }
      }
    }
    try run.step(.cleanUp) { run in
      for table in tables { try destroyStaleSets(sets, table.family, &run) }
    }
  }

  /// Handles the policies: their rules go into the text, their sets into the kernel.
  private func restore(
    _ sets: [NamedSet], _ tables: [Table], _ texts: inout [FilterTableText], _ run: inout SyncRun
  ) throws {
    var saved: [SavedSets] = []
    for table in tables {
      saved.append(
        try run.step(.saveSets, table.family) { SavedSets(try $0.run(["ipset", "save"]).requireSuccess().stdout) })
    }
    let inputs = try run.step(.composeSets) { _ in
      try tables.indices.map { index in
        let table = tables[index]
        for chain in table.chains where chain.origin?.policy != nil {
          try write(chain, table.family, into: &texts[index])
        }
        return ipsetSwapText(sets.filter { $0.family == table.family }, over: saved[index])
      }
    }
    for (table, input) in zip(tables, inputs) {
      try run.step(.restoreSets, table.family) {
        _ = try $0.run(["ipset", "restore", "-exist"], input: input).requireSuccess()
      }
    }
  }

  private func write(_ chain: Chain, _ family: IPFamily, into text: inout FilterTableText) throws {
    text.declare(chain.name)
    for rule in chain.rules { text.append(try iptablesRuleText(rule, family), to: chain.name) }
  }

  /// Writes the pods' chains and the jumps to them.
  private func writePods(_ table: Table, into text: inout FilterTableText) throws {
    for chain in table.chains where chain.origin?.pod != nil {
      text.declare(chain.name)
      for rule in chain.rules {
        let line = try iptablesRuleText(rule, table.family)
        if rule.logs { text.appendUnlessInCopy(line, to: chain.name) } else { text.append(line, to: chain.name) }
      }
    }
    for chain in table.chains where chain.name.hasPrefix("KUBE-ROUTER-") {
      for rule in chain.rules where rule.origin != nil {
        text.append(try iptablesRuleText(rule, table.family), to: chain.name)
      }
    }
  }

  /// kube-router only logs failures here, and the set stays as it was.
  private func refill(_ set: NamedSet, _ run: inout SyncRun) throws {
    let saved = try run.run(["ipset", "save"])
    if saved.succeeded {
      _ = try run.run(["ipset", "restore", "-exist"], input: ipsetSwapText([set], over: SavedSets(saved.stdout)))
    }
  }

  /// Writes the last rules of the KUBE-ROUTER chains. k3s's fork has its ACCEPT in the built-in chains: an existing one
  /// stays where it is, and a new one goes after the last rule whose text contains `KUBE`.
  private func writeEnds(_ table: Table, into text: inout FilterTableText, _ run: inout SyncRun) throws {
    for chain in table.chains where chain.name.hasPrefix("KUBE-ROUTER-") {
      for rule in chain.rules where rule.origin == nil && rule.statements != [.return] {
        text.moveToEnd(try iptablesRuleText(rule, table.family), of: chain.name)
      }
    }
    for chain in table.chains where chain.base != nil {
      for rule in chain.rules.dropFirst() {
        let accept = try iptablesRuleText(rule, table.family)
        if text.contains(accept, in: chain.name) { continue }
        let listed = try run.change(table.family, ["-S", chain.name]).text.split(separator: "\n")
        // The first line is the chain's policy, so the index is the rule's number.
        text.insert(accept, into: chain.name, behind: listed.lastIndex { $0.contains("KUBE") } ?? 0)
      }
    }
  }

  /// Adds the chains of pods and policies that don't belong to this sync.
  private func addStaleChains(
    of table: Table, toPods pods: inout [ChainName], toPolicies policies: inout [ChainName], _ run: inout SyncRun
  ) throws {
    let current = Set(table.chains.map(\.name))
    let fixed: Set = [IptablesChecks.default, IptablesChecks.common, IptablesChecks.tail]
    let listed = try run.change(table.family, ["-S"]).requireSuccess().text
    // Declarations come first.
    for line in listed.split(separator: "\n").prefix(while: { $0.hasPrefix("-P") || $0.hasPrefix("-N") }) {
      let name = String(line.split(separator: " ")[1])
      if fixed.contains(name) || current.contains(name) { continue }
      if name.hasPrefix("KUBE-NWPLCY-") { policies.append(name) }
      if name.hasPrefix("KUBE-POD-FW-") { pods.append(name) }
    }
  }

  /// Destroys each stale set with a process of its own. The first failure ends it.
  private func destroyStaleSets(_ sets: [NamedSet], _ family: IPFamily, _ run: inout SyncRun) throws {
    let current = Set(sets.map(\.name))
    let saved = SavedSets(try run.run(["ipset", "save"]).requireSuccess().stdout)
    for name in saved.policySets(family) where !current.contains(name) {
      try run.run(["ipset", "destroy", name]).requireSuccess()
    }
  }
}

extension Rule {
  fileprivate var logs: Bool { statements.contains { if case .log = $0 { true } else { false } } }
}
