// Not covered: crowds in IPv6.
import Enforcement
import EngineComparison
import Lowering
import NetpolModel
import Oracle
import Path
import RuleIR
import Statistics
import TestSupport
import Testing

/// Random worlds are too small for groups whose pairs the compiled style doesn't write.
@Suite("The compiled style and large groups of pods") struct CrowdTests {
  private static let pods = (1...70).map { number in
    podText(
      "app/p\(number)", on: number % 3 == 0 ? "node2" : "node1", labels: "kind: n\(number % 7)",
      status:
        "podIP: 10.42.\(number % 3 == 0 ? 1 : 0).\(number + 2), hostIP: 192.168.20.1\(number % 3 == 0 ? 2 : 1), phase: Running"
    )
  }.joined()

  private static let everyone = "{podSelector: {}}"
  private static func open(_ name: String, _ pods: String, _ types: String, _ rule: String) -> String {
    policyText("app/\(name)", "podSelector: \(pods)\npolicyTypes: [\(types)]\n\(rule)")
  }

  @Test(
    "their verdicts are the specification's, whichever end's policies have too many pairs",
    arguments: [
      // Both ends, each with 46 x 69 x 2 pairs on node1: too many.
      open("a", "{}", "Ingress", "ingress: [{from: [\(everyone)], ports: [{port: 80}, {port: 81}]}]")
        + open("b", "{}", "Egress", "egress: [{to: [\(everyone)], ports: [{port: 80}, {port: 82}]}]"),
      // Ingress is too large, egress of a few pods is not.
      open("a", "{}", "Ingress", "ingress: [{from: [\(everyone)], ports: [{port: 80}, {port: 81}]}]")
        + open("b", "{matchLabels: {kind: n1}}", "Egress", "egress: [{to: [\(everyone)], ports: [{port: 80}]}]"),
      // Egress is too large, ingress of a few pods is not, or is by range, block or for everyone.
      open("a", "{}", "Egress", "egress: [{to: [\(everyone)], ports: [{port: 80}, {port: 81}]}]")
        + open(
          "b", "{matchLabels: {kind: n2}}", "Ingress",
          "ingress: [{from: [{podSelector: {matchLabels: {kind: n1}}}], ports: [{port: 80}]}]")
        + open(
          "c", "{matchLabels: {kind: n3}}", "Ingress",
          "ingress: [{from: [\(everyone)], ports: [{port: 80, endPort: 200}]}]")
        + open(
          "d", "{matchLabels: {kind: n4}}", "Ingress",
          "ingress: [{from: [{ipBlock: {cidr: 10.42.0.0/25}}], ports: [{port: 81}]}, {ports: [{port: 80}]}]"),
    ])
  func crowds(policies: String) throws {
    let cluster = try readWorld(twoNodesText() + Self.pods + policies)
    let topology = Topology(cluster)
    let enforced = try EnforcedCluster(cluster, topology, .compiled, versionStamp: "1")
    let lists = enforced.rulesets.values.joined().flatMap(\.keyedSets).filter { ["ia", "ea"].contains($0.name) }
    #expect(lists.contains { !$0.elements.isEmpty })
    let oracle = Oracle(cluster)
    var random = SplitMix64(seed: 5)
    var verdicts: [Verdict: Int] = [:]
    for _ in 0..<4000 {
      let ends = random.some(2, of: cluster.pods.map { Endpoint.pod($0.id) })
      guard ends.count == 2,
        let port = [80, 81, 82, 100].randomElement(using: &random).map({ TransportPort(.tcp, $0) }),
        let flow = topology.flow(from: ends[0], to: ends[1], .port(port), .v4)
      else { continue }
      let specified = oracle.judge(flow).verdict
      verdicts[specified, default: 0] += 1
      #expect(enforced.verdict(of: flow) == specified, "\(flow)")
    }
    #expect(verdicts.values.allSatisfy { $0 > 300 } && verdicts.count == 2)
  }
}
