// Not covered: what the loaded rules do to packets, and changes (NftChangesTests, SetChangesTests).
import Apply
import Foundation
import Kernel
import Lowering
import NetpolModel
import Rendering
import RuleIR
import TestSupport
import Testing

@Suite("Loading rules", .serialized, .needsNamespaces) struct RuleLoaderTests {
  @Test("rules read back from the kernel equal the loaded ones")
  func readBack() throws {
    let cluster = try readWorld(policedWebs)
    let worker = try NamespaceWorker()
    let node = try #require(cluster.node("node1"))
    let namespace = try worker.makeNamespace()
    let ruleset = EnforcementStyle.kubeRouterK3s.lower(NodeView(of: node, in: cluster)).ruleset
    try RuleLoader(worker: worker).load(ruleset, in: namespace)
    let lines = { (text: String) in
      Set(text.split(separator: "\n").filter { $0.hasPrefix("-A ") || $0.hasPrefix("add ") }.map(String.init))
    }
    let table = try #require(ruleset.table("filter", .v4))
    let saved = try Command(["iptables-save", "-t", "filter"]).run(in: namespace, on: worker).requireSuccess()
    #expect(lines(saved.text) == lines(try iptablesRestoreText(table)))
    let sets = try Command(["ipset", "save"]).run(in: namespace, on: worker).requireSuccess()
    #expect(lines(sets.text) == lines(try ipsetRestoreText(ruleset.sets)))
  }

  @Test("nft lists the loaded ruleset as its text says")
  func nftReadBack() throws {
    let cluster = try readWorld(policedWebs)
    let worker = try NamespaceWorker()
    let namespace = try worker.makeNamespace()
    let node = try #require(cluster.node("node1"))
    let ruleset = EnforcementStyle.kubeRouterNftables.lower(NodeView(of: node, in: cluster)).ruleset
    try RuleLoader(worker: worker).load(ruleset, in: namespace)
    let listed = try Command(["nft", "--stateless", "list", "ruleset"]).run(in: namespace, on: worker).requireSuccess()
    let canonical = { (text: String) in
      // nft wraps the elements of a set, and lists counters as they were written.
      text.replacingOccurrences(of: ",\n", with: ", ").split(separator: "\n").map {
        $0.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
      }.filter { !$0.isEmpty }
    }
    #expect(canonical(listed.text) == canonical(try nftText(ruleset)))
  }

  @Test("a rule that iptables-restore refuses is named")
  func refusedRule() throws {
    let worker = try NamespaceWorker()
    let namespace = try worker.makeNamespace()
    let bad = Rule([.limit(RateLimit(1, per: .day, burst: 20_000))], [.accept])
    let table = Table(name: "filter", family: .v4, chains: [Chain(name: "INPUT", base: .init(.input), rules: [bad])])
    do {
      try RuleLoader(worker: worker).load(Ruleset(tables: [table]), in: namespace)
      Issue.record("the rule was loaded")
    } catch let refused as RefusedRule {
      #expect(refused.description.contains("20000"))
    }
  }
}
