// Not covered: what packets see while rules are replaced.
import Enforcement
import Kernel
import Lowering
import NetpolModel
import Path
import RuleIR
import TestSupport
import Testing
import Worlds

@testable import Apply

@Suite("Replacing a node's rules", .serialized, .needsNamespaces) struct ReplacedRulesTests {
  private let worker: NamespaceWorker
  private let loader: RuleLoader

  init() throws {
    worker = try NamespaceWorker()
    loader = try RuleLoader(worker: worker)
  }

  /// What the kernel has, by chain and set. The order of rules in a chain is kept.
  private func listing(of namespace: NetworkNamespace) throws -> [String: [String]] {
    let ask = { (command: [String]) in
      try Command(command).run(in: namespace, on: worker).requireSuccess().text.split(separator: "\n").map(String.init)
    }
    var listing: [String: [String]] = [:]
    for program in ["iptables", "ip6tables"] {
      var table = ""
      for line in try ask(["\(program)-save"]) {
        let words = line.split(separator: " ")
        if line.hasPrefix("*") { table = "\(program) \(line.dropFirst())" }
        if line.hasPrefix(":") { listing["\(table) \(words[0].dropFirst())", default: []].append(line) }
        if line.hasPrefix("-A ") { listing["\(table) \(words[1])", default: []].append(line) }
      }
    }
    for line in try ask(["ipset", "save"]) {
      let words = line.replacing(#/ initval 0x[0-9a-f]+/#, with: "").replacing(#/ hashsize [0-9]+/#, with: "")
      listing["set \(line.split(separator: " ")[1])", default: []].append(words)
    }
    for name in listing.keys where name.hasPrefix("set ") { listing[name]?.sort() }
    return listing
  }

  /// Replaces rules with the next ones, and expects in the kernel what a fresh load gives.
  private func follow(_ rulesets: [[Ruleset]], _ families: [IPFamily]) throws {
    let namespace = try worker.makeNamespace()
    var loaded: [Ruleset] = []
    for (step, target) in rulesets.enumerated() {
      loaded = try loader.replace(loaded, with: target, in: namespace)
      let fresh = try worker.makeNamespace()
      _ = try loader.replace([], with: target, in: fresh)
      #expect(try listing(of: namespace) == listing(of: fresh), "step \(step)")
      let stored = try StoredRules(reading: namespace, families: families, worker: worker)
      let wanted = try StoredRules(target)
      #expect(stored.differences(from: wanted) == [], "step \(step)")
    }
  }

  private func rulesets(_ cluster: Cluster, _ style: EnforcementStyle) throws -> [Ruleset] {
    let enforced = try EnforcedCluster(cluster, Topology(cluster), style, versionStamp: "1")
    return try #require(enforced.rulesets[cluster.nodes[0].name])
  }

  @Test(
    "after each of many changes to objects, the kernel has what a fresh load gives, in every style",
    arguments: EnforcementStyle.all)
  func changingWorlds(_ style: EnforcementStyle) throws {
    let states = try LiveWorld(seed: 3).sequence(steps: 6).states.map {
      try readWorld($0.manifest, asStored: true)
    }
    try follow(try (states + [states[0]]).map { try rulesets($0, style) }, states[0].families)
  }

  @Test("from one world to another that has nothing in common with it, and from style to style")
  func otherWorlds() throws {
    let targets = try (0..<4).flatMap { seed in
      try EnforcementStyle.all.map { try rulesets(World(seed: seed).cluster, $0) }
    }
    try follow(targets, IPFamily.allCases)
  }

  private static let pods = webAndClient + secondWeb
  private static let isolated =
    pods + policyText("app/silence", "{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}")
  /// A policy for another pod of the same node.
  private static let bothIsolated =
    isolated + policyText("app/quiet", "{podSelector: {matchLabels: {app: client}}, policyTypes: [Ingress]}")

  /// Rules and members that no ruleset has. They stay wherever nothing is written.
  @Test("chains and sets that old and new rules share are not written again", arguments: EnforcementStyle.all)
  func shared(_ style: EnforcementStyle) throws {
    let (old, new) = (
      try rulesets(try readWorld(Self.isolated), style), try rulesets(try readWorld(Self.bothIsolated), style)
    )
    let namespace = try worker.makeNamespace()
    _ = try loader.replace([], with: old, in: namespace)
    var marked = 0
    for rules in old {
      let next = try #require(new.first { $0.program == rules.program })
      for table in rules.tables where table.family == .v4 {
        for chain in table.chains where chain.base == nil {
          let stays = next.table(table.name, .v4)?.chain(chain.name)?.rules == chain.rules
          guard stays else { continue }
          try mark(chain, table, rules.backend, in: namespace)
          marked += 1
        }
      }
    }
    #expect(marked > 2)
    _ = try loader.replace(old, with: new, in: namespace)
    #expect(try marks(in: namespace) == marked)
    // Everything is loaded anew if asked for.
    _ = try loader.reload(new, as: old, in: namespace)
    #expect(try marks(in: namespace) == 0)
  }

  private func mark(
    _ chain: Chain, _ table: Table, _ backend: Ruleset.Backend, in namespace: NetworkNamespace
  ) throws {
    let command =
      switch backend {
      case .iptables: ["iptables", "-t", table.name, "-A", chain.name, "-m", "comment", "--comment", "left alone"]
      case .nftables: ["nft", "add", "rule", "ip", table.name, chain.name, "counter", "comment", "\"left alone\""]
      }
    try Command(command).run(in: namespace, on: worker).requireSuccess()
  }

  private func marks(in namespace: NetworkNamespace) throws -> Int {
    let iptables = try Command(["iptables-save"]).run(in: namespace, on: worker).requireSuccess().text
    var marks = iptables.split(separator: "\n").count { $0.contains("left alone") }
    for line in try Command(["nft", "list", "tables", "ip"]).run(in: namespace, on: worker).requireSuccess().text
      .split(separator: "\n")
    {
      let name = line.split(separator: " ").last.map(String.init) ?? ""
      if ["filter", "nat", "mangle", "raw"].contains(name) { continue }
      let text = try Command(["nft", "list", "table", "ip", name]).run(in: namespace, on: worker).requireSuccess().text
      marks += text.split(separator: "\n").count { $0.contains("left alone") }
    }
    return marks
  }

  @Test("an ipset keeps what a change doesn't mention, and one of another type is made anew")
  func sets() throws {
    func ruleset(_ kind: NamedSet.Kind, _ members: String..., other: String) throws -> Ruleset {
      let set = { (name: String, kind: NamedSet.Kind, members: [String]) in
        NamedSet(
          name: name, family: .v4, kind: kind, members: try members.map { NamedSet.Member(try #require(CIDR($0))) })
      }
      let rules = [Rule([.inSet(.source, "s")], [.accept]), Rule([.inSet(.source, "o")], [.accept])]
      return Ruleset(
        tables: [
          Table(name: "filter", family: .v4, chains: [Chain(name: "FORWARD", base: .init(.forward), rules: rules)])
        ], sets: [try set("s", kind, members), try set("o", .addresses, [other])])
    }
    let first = try ruleset(.addresses, "10.0.0.1/32", other: "10.0.0.9/32")
    let second = try ruleset(.addresses, "10.0.0.1/32", other: "10.0.0.8/32")
    let third = try ruleset(.hashNet, "10.0.0.0/8", other: "10.0.0.8/32")
    try follow([[first], [second], [third], [first], [third], [first]], [.v4])

    let namespace = try worker.makeNamespace()
    try loader.load(first, in: namespace)
    try Command(["ipset", "add", "s", "10.0.0.77"]).run(in: namespace, on: worker).requireSuccess()
    _ = try loader.replace([first], with: [second], in: namespace)
    let saved = try Command(["ipset", "save"]).run(in: namespace, on: worker).requireSuccess().text
    #expect(saved.contains("10.0.0.77") && saved.contains("10.0.0.8 ") && !saved.contains("10.0.0.9 "))
  }

  @Test("a built-in chain's rules and their order change, and so do its policy and the chains it jumps to")
  func builtIn() throws {
    func ruleset(_ ports: [UInt16], _ policy: Chain.Base.Policy = .accept) -> Ruleset {
      let rules = ports.map { Rule([.port(.tcp, PortRange($0))], [.accept]) }
      let own = ports.isEmpty ? [] : [Chain(name: "OWN", rules: rules)]
      let base = [
        Chain(name: "FORWARD", base: .init(.forward, policy: policy), rules: rules),
        Chain(name: "OUTPUT", base: .init(.output), rules: own.map { Rule([], [.jump($0.name)]) }),
      ]
      return Ruleset(tables: [Table(name: "filter", family: .v4, chains: base + own)])
    }
    try follow(
      [[ruleset([80, 81])], [ruleset([81, 80])], [ruleset([])], [ruleset([1])], [ruleset([1], .drop)]], [.v4])
  }
}
