internal import Apply
internal import Dumps
internal import Kernel
internal import Lowering
internal import NetpolModel
internal import Rendering
internal import RuleIR

/// Checks the chains that every node has, one rule and one process at a time. This is step 2 of kube-router's sync
/// (`ensureTopLevelChains` and what follows it in its `pkg/controllers/netpol`, through coreos/go-iptables).
struct IptablesChecks {
  /// The style's rules for a node without pods and policies.
  private let tables: [Table]
  private let localPods: [NamedSet]

  static let `default` = "KUBE-NWPLCY-DEFAULT"
  static let common = "KUBE-NWPLCY-COMMON"
  static let tail = "KUBE-NWPLCY-TAIL"

  init(_ style: EnforcementStyle, _ view: NodeView) {
    let ruleset = style.lower(view.withoutObjects).ruleset
    tables = ruleset.tables
    localPods = ruleset.sets
  }

  /// At the start of the agent: also empties and fills KUBE-NWPLCY-TAIL.
  func setUp(_ run: inout SyncRun) throws {
    for table in tables { try run.iptables(table.family, ["--version"]).requireSuccess() }
    try ensureFixedChains(&run)
    try ensureLocalPods(&run)
    for table in tables {
      guard let tail = table.chain(Self.tail) else { continue }
      if try run.hasChain(tail.name, table.family) {
        // ClearChain of go-iptables tries to create it first.
        _ = try run.change(table.family, ["-N", tail.name])
        try run.change(table.family, ["-F", tail.name]).requireSuccess()
      } else {
        try run.change(table.family, ["-N", tail.name]).requireSuccess()
      }
      try fill(tail, table.family, &run)
    }
  }

  /// In every sync: creates KUBE-NWPLCY-TAIL only if it is missing.
  func ensure(_ run: inout SyncRun) throws {
    try ensureFixedChains(&run)
    try ensureLocalPods(&run)
    for table in tables {
      guard let tail = table.chain(Self.tail) else { continue }
      if try run.hasChain(tail.name, table.family) {
        // kube-router counts the rules, and only logs a wrong number.
        _ = try run.change(table.family, ["-S", tail.name])
      } else {
        try run.change(table.family, ["-N", tail.name]).requireSuccess()
        try fill(tail, table.family, &run)
      }
    }
  }

  private func fill(_ chain: Chain, _ family: IPFamily, _ run: inout SyncRun) throws {
    for rule in chain.rules {
      try run.change(family, ["-A", chain.name] + ruleArguments(rule, family)).requireSuccess()
    }
  }

  private func ensureFixedChains(_ run: inout SyncRun) throws {
    for table in tables {
      for hook in [Hook.input, .forward, .output] {
        let builtIn = hook.rawValue.uppercased()
        guard let jump = table.chain(builtIn)?.rules.first else { continue }
        try makeIfMissing("KUBE-ROUTER-\(builtIn)", table.family, &run)
        try ensure(jump, at: 1, of: builtIn, table.family, &run)
      }
      let exemptions = table.chain("KUBE-ROUTER-INPUT")?.rules.filter { $0.statements == [.return] } ?? []
      for (index, rule) in exemptions.enumerated() {
        try ensure(rule, at: index + 1, of: "KUBE-ROUTER-INPUT", table.family, &run)
      }
    }
    for name in [Self.default, Self.common] {
      for table in tables {
        guard let chain = table.chain(name) else { continue }
        try makeIfMissing(name, table.family, &run)
        for rule in chain.rules {
          if try run.has(rule, in: name, table.family) { continue }
          try run.change(table.family, ["-A", name] + ruleArguments(rule, table.family)).requireSuccess()
        }
      }
    }
  }

  private func makeIfMissing(_ chain: ChainName, _ family: IPFamily, _ run: inout SyncRun) throws {
    if try !run.hasChain(chain, family) { try run.change(family, ["-N", chain]).requireSuccess() }
  }

  /// Puts a rule at its position. If the rule is elsewhere, it is inserted first and then deleted from the old
  /// position.
  private func ensure(
    _ rule: Rule, at position: Int, of chain: ChainName, _ family: IPFamily, _ run: inout SyncRun
  ) throws {
    let insertion = try ["-I", chain, "\(position)"] + ruleArguments(rule, family)
    guard try run.has(rule, in: chain, family) else {
      try run.change(family, insertion).requireSuccess()
      return
    }
    // No other rule has the tag at the end of this rule's comment.
    let tag = rule.comment?.suffix(16) ?? ""
    let rules = try run.change(family, ["-S", chain]).requireSuccess().text.split(separator: "\n")
      .filter { $0.hasPrefix("-A") }
    let found = (rules.firstIndex { $0.contains(tag) } ?? -1) + 1
    if found == position { return }
    try run.change(family, insertion).requireSuccess()
    try run.change(family, ["-D", chain, "\(found + 1)"]).requireSuccess()
  }

  /// With default-deny the set must exist before a rule uses it.
  private func ensureLocalPods(_ run: inout SyncRun) throws {
    for set in localPods {
      let saved = SavedSets(try run.run(["ipset", "save"]).requireSuccess().stdout)
      if saved.options[set.name] != nil { continue }
      _ = try run.run(["ipset", "list", set.name])
      let family = set.family == .v6 ? ["family", "inet6"] : []
      try run.run(["ipset", "create", "-exist", set.name, "hash:ip", "timeout", "0"] + family).requireSuccess()
    }
  }
}

extension NodeView {
  /// The view without pods, policies and namespaces.
  var withoutObjects: NodeView {
    var view = self
    (view.pods, view.policies, view.namespaceLabels) = ([], [], [:])
    return view
  }
}

/// A rule as command-line arguments. Every rule that a style writes can be expressed as text.
private func ruleArguments(_ rule: Rule, _ family: IPFamily) throws -> [String] {
  iptablesArguments(try iptablesRuleText(rule, family))
}

extension SyncRun {
  /// Runs `iptables` or `ip6tables`.
  @discardableResult
  mutating func iptables(_ family: IPFamily, _ arguments: [String]) throws -> CommandResult {
    try run([family.iptables] + arguments)
  }

  /// Runs one command on the filter table.
  mutating func change(_ family: IPFamily, _ arguments: [String]) throws -> CommandResult {
    try iptables(family, ["-t", "filter"] + arguments + ["--wait"])
  }

  /// go-iptables asks only for the first rule, since the chain may be long.
  fileprivate mutating func hasChain(_ chain: ChainName, _ family: IPFamily) throws -> Bool {
    try isYes(change(family, ["-S", chain, "1"]))
  }

  fileprivate mutating func has(_ rule: Rule, in chain: ChainName, _ family: IPFamily) throws -> Bool {
    try isYes(change(family, ["-C", chain] + ruleArguments(rule, family)))
  }

  /// Exit status 1 means no. Any other status except 0 is a failure.
  private func isYes(_ result: CommandResult) throws -> Bool {
    if result.ending == .exited(1) { return false }
    try result.requireSuccess()
    return true
  }
}
