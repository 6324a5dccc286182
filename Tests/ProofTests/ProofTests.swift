// Not covered: rate limits and fragments, which no class tells apart.
import Enforcement
import EngineComparison
import Evaluator
import Foundation
import Lowering
import NetpolModel
import Path
import Proof
import RuleIR
import Statistics
import TestSupport
import Testing
import Worlds

@Suite("Proofs") struct ProofTests {
  private static func enforced(_ text: String, _ style: EnforcementStyle) throws -> (Cluster, EnforcedCluster) {
    let cluster = try readWorld(text, asStored: true)
    return (cluster, try EnforcedCluster(cluster, Topology(cluster), style, versionStamp: "1"))
  }

  private static let world = """
    apiVersion: v1
    kind: Node
    metadata: {name: n1}
    spec: {podCIDR: 10.42.0.0/24}
    status: {addresses: [{type: InternalIP, address: 192.168.20.11}]}
    ---
    apiVersion: v1
    kind: Pod
    metadata: {namespace: shop, name: web, labels: {app: web}}
    spec: {nodeName: n1, containers: [{name: c}]}
    status: {phase: Running, hostIP: 192.168.20.11, podIP: 10.42.0.2, podIPs: [{ip: 10.42.0.2}]}
    ---
    apiVersion: v1
    kind: Pod
    metadata: {namespace: shop, name: db, labels: {app: db}}
    spec: {nodeName: n1, containers: [{name: c, ports: [{containerPort: 5432}]}]}
    status: {phase: Running, hostIP: 192.168.20.11, podIP: 10.42.0.3, podIPs: [{ip: 10.42.0.3}]}
    ---
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {namespace: shop, name: db}
    spec:
      podSelector: {matchLabels: {app: db}}
      policyTypes: [Ingress]
      ingress:
      - from: [{podSelector: {matchLabels: {app: web}}}, {ipBlock: {cidr: 203.0.113.0/24}}]
        ports: [{protocol: TCP, port: 5432}]
    """

  @Test("Every difference of a small cluster has a number", arguments: EnforcementStyle.all.map(\.name))
  func smallWorldIsProved(name: String) throws {
    let style = try #require(EnforcementStyle.all.first { $0.name == name })
    let (cluster, enforced) = try Self.enforced(Self.world, style)
    let proof = Proof(cluster, Comparer(cluster, enforced))
    #expect(proof.isProved, "\(proof.counterexamples.first.map { "\($0)" } ?? "")")
    #expect(proof.reasons.map(\.reason).contains(.icmp))
    #expect(proof.classes > 10 && proof.packets > 1e9)
  }

  @Test("On random clusters every difference has a number", arguments: EnforcementStyle.all.map(\.name))
  func randomWorldsAreProved(name: String) throws {
    let environment = ProcessInfo.processInfo.environment
    let worlds = Int(environment["NETPOL_WORLDS"] ?? "") ?? 12
    let first = UInt64(environment["NETPOL_SEED"] ?? "") ?? 27_000
    let style = try #require(EnforcementStyle.all.first { $0.name == name })
    for seed in first..<first + UInt64(worlds) {
      let (cluster, enforced) = try Self.enforced(World(seed: seed).cluster.manifest, style)
      let proof = Proof(cluster, Comparer(cluster, enforced))
      #expect(proof.classes > 0)
      // What depends on a race has no number: the style warns of it.
      if !enforced.findings.isEmpty { continue }
      if let one = proof.counterexamples.first { Issue.record("seed \(seed): \(one)") }
    }
  }

  @Test(
    "With default-deny a pod reaches itself through its own host port",
    arguments: [(UInt64(7181), EnforcementStyle.kubeRouterNftables), (8476, .compiled)])
  func ownHostPort(seed: UInt64, style: EnforcementStyle) throws {
    let (cluster, enforced) = try Self.enforced(World(seed: seed).cluster.manifest, style)
    let proof = Proof(cluster, Comparer(cluster, enforced))
    #expect(proof.isProved, "\(proof.counterexamples.first.map { "\($0)" } ?? "")")
  }

  @Test("A rule that is missing is shown by a packet that it would admit")
  func missingRule() throws {
    let (cluster, enforced) = try Self.enforced(Self.world, .kubeRouterK3s)
    var rules = try #require(enforced.rulesets["n1"])
    for set in rules[0].sets.indices {
      rules[0].sets[set].members.removeAll { $0.cidr == CIDR("203.0.113.0/24") }
    }
    let mutated = try enforced.replacing(["n1": rules])
    let proof = Proof(cluster, Comparer(cluster, mutated))
    let one = try #require(proof.counterexamples.first)
    #expect(one.rules == .deny && one.specification == .allow && one.predicted == .allow)
    #expect(one.packet.source.address.description.hasPrefix("203.0.113."))
    #expect(one.packet.payload == .transport(.tcp, source: 40000, destination: 5432))
    let witness = Witness(one, Comparer(cluster, mutated))
    #expect(witness.hooks.contains { !$0.isAccepted && $0.rules.contains { $0.contains("POD name:db") } })
    #expect(!witness.because.isEmpty)
  }

  @Test("A wrong rule is seen though the other pod refuses all packets that it admits")
  func sidesByThemselves() throws {
    let closed =
      Self.world.replacing("app: web}}\n", with: "app: web}}\n") + """

        ---
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {namespace: shop, name: web}
        spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}
        """
    let (cluster, enforced) = try Self.enforced(closed, .kubeRouterK3s)
    #expect(Proof(cluster, Comparer(cluster, enforced)).isProved)
    var rules = try #require(enforced.rulesets["n1"])
    // Only web is in the set: db no longer lets it in, but web's own policy refuses the packet before.
    for set in rules[0].sets.indices where rules[0].sets[set].name.hasPrefix("KUBE-SRC") {
      rules[0].sets[set].members.removeAll { $0.cidr == CIDR("10.42.0.2/32") }
    }
    let proof = Proof(cluster, Comparer(cluster, try enforced.replacing(["n1": rules])))
    #expect(proof.counterexamples.first?.packet.place == .side(.ingress))
  }

  @Test("Two rule sets are equal, or differ for the packets of what was changed")
  func comparedRules() throws {
    let (cluster, enforced) = try Self.enforced(Self.world, .kubeRouterK3s)
    #expect(RulesComparison(cluster, enforced, enforced).isEqual)
    var rules = try #require(enforced.rulesets["n1"])
    for set in rules[0].sets.indices where rules[0].sets[set].name.hasPrefix("KUBE-SRC") {
      rules[0].sets[set].members.removeAll { $0.cidr == CIDR("10.42.0.2/32") }
    }
    let comparison = RulesComparison(cluster, enforced, try enforced.replacing(["n1": rules]))
    let one = try #require(comparison.differences.first)
    #expect(comparison.differences.count == 1)
    #expect(one.source.address == IPAddress("10.42.0.2") && one.destination.address == IPAddress("10.42.0.3"))
    #expect(one.first == .allow)
    #expect(one.asked.map(\.payload) == [.transport(.tcp, source: 40000, destination: 5432)])
    let (_, other) = try Self.enforced(Self.world, .kubeRouterNftables)
    let styles = RulesComparison(cluster, enforced, other)
    // One of their differences: SCTP to NodePorts of the own node (D8).
    #expect(
      styles.differences.allSatisfy {
        $0.asked.allSatisfy { if case .transport(.sctp, _, _) = $0.payload { true } else { false } }
      })
  }

  @Test(
    "After a policy was changed, added or removed, an updated proof is that of the new cluster",
    arguments: EnforcementStyle.all.map(\.name))
  func updatedProof(name: String) throws {
    let style = try #require(EnforcementStyle.all.first { $0.name == name })
    var reused = 0
    for seed in UInt64(35_000)..<35_006 {
      let (cluster, enforced) = try Self.enforced(World(seed: seed).cluster.manifest, style)
      let whole = UpdatableProof(cluster, Comparer(cluster, enforced))
      #expect(whole.reused == 0)
      for index in cluster.policies.indices {
        var other = cluster
        switch index % 3 {
        case 0: other.policies.remove(at: index)
        case 1: other.policies[index].ingress = []
        default: other.policies[index].isolates = [.ingress, .egress]
        }
        // What follows an edited object in its file moves to other lines.
        for moved in other.policies.indices {
          other.policies[moved].location = SourceLocation(file: "edited.yaml", line: moved)
        }
        let rules = try EnforcedCluster(other, Topology(other), style, versionStamp: "1")
        let comparer = Comparer(other, rules)
        let updated = whole.updated(other, comparer)
        reused += updated.reused
        let fresh = Proof(other, comparer)
        #expect(updated.proof.classes == fresh.classes, "seed \(seed), policy \(index)")
        #expect(updated.proof.differing.mapValues(\.classes) == fresh.differing.mapValues(\.classes))
        #expect(updated.proof.counterexamples.count == fresh.counterexamples.count)
        #expect(abs(updated.proof.packets / fresh.packets - 1) < 1e-9)
        #expect(updated.updated(other, comparer).reused == cluster.families.count * cluster.nodes.count)
      }
    }
    #expect(reused > 0)
  }
}
