import Apply
import Enforcement
import Kernel
import Lowering
import NetpolModel
import Network
import RuleIR
import TestSupport
import Testing

@testable import StandingLab

/// Two clusters with the same machines, as an Expectations document's variants are.
@Suite("Loading variants", .serialized, .needsNamespaces) struct VariantLoadingTests {
  private static let pods = webAndClient + secondWeb
  private static let open = pods
  /// Has a policy for the pods of node1 alone.
  private static let closed =
    pods + policyText("app/silence", "{podSelector: {matchLabels: {app: client}}, policyTypes: [Ingress, Egress]}")

  @Test("only what differs is written, and every node has its variant's rules", arguments: EnforcementStyle.all)
  func variants(_ style: EnforcementStyle) async throws {
    try await blocking {
      let plans = try [Self.open, Self.closed].map { try LabPlan(try readWorld($0), style, versionStamp: "1") }
      #expect(plans[0].hasSameFabric(as: plans[1]))
      let worker = try NamespaceWorker()
      defer { worker.close() }
      var lab = try LoadedFabric(plans[0], transports: [.tcp], worker: worker) { _ in }
      let places = try ["node1", "node2"].map { try #require(lab.fabric.namespace(ofNode: $0)) }
      let mark = ["iptables", "-t", "nat", "-A", "KUBE-SERVICES", "-m", "comment", "--comment", "left alone"]
      for place in places { try Command(mark).run(in: place, on: worker).requireSuccess() }
      for plan in [plans[1], plans[0], plans[1]] {
        try lab.replaceRules(by: plan) { _ in }
        for (node, place) in zip(["node1", "node2"], places) {
          // kube-proxy's rules are those of before.
          let saved = try Command(["iptables-save", "-t", "nat"]).run(in: place, on: worker).requireSuccess().text
          #expect(saved.contains("left alone"))
          let stored = try StoredRules(reading: place, families: [.v4], worker: worker)
          let wanted = try StoredRules(try #require(plan.enforced.rulesets[node]))
          #expect(stored.differences(from: wanted).filter { !$0.contains("left alone") } == [])
        }
      }
      try lab.reloadRules(by: plans[0]) { _ in }
      for place in places {
        let saved = try Command(["iptables-save", "-t", "nat"]).run(in: place, on: worker).requireSuccess().text
        #expect(!saved.contains("left alone") && saved.contains("KUBE-SERVICES"))
      }
    }
  }

  @Test("a node that refuses its rules fails the load: with the first such node's error")
  func refused() async throws {
    try await blocking {
      let worker = try NamespaceWorker()
      defer { worker.close() }
      let refusing = EnforcementStyle.kubeRouterK3s.rewriting { view, lowered in
        let burst = view.node == "node1" ? 20_001 : 20_002
        let rule = Rule([.limit(RateLimit(1, per: .day, burst: burst))], [.accept])
        let tables = lowered.ruleset.tables.indices.filter { lowered.ruleset.tables[$0].family == .v4 }
        for table in tables { lowered.ruleset.tables[table].chains[0].rules.append(rule) }
      }
      let plan = try LabPlan(try readWorld(Self.open), refusing, versionStamp: "1")
      for _ in 0..<3 {
        do {
          _ = try LoadedFabric(plan, transports: [.tcp], worker: worker) { _ in }
          Issue.record("the rules were loaded")
        } catch let refused as RefusedRule {
          #expect(refused.description.contains("20001"))
        }
      }
    }
  }
}
