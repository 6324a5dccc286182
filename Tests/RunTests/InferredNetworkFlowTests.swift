import Documents
// Not covered: which networks are inferred (see PodNetworkTests and ServiceNetworkTests in ManifestTests).
import EngineComparison
import Foundation
import Lowering
import NetpolModel
import Report
import Run
import TestSupport
import Testing

/// A web pod and a client on each of two nodes, an address each, and what else shows the networks.
struct NetworkWorld: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let nodes: [String]
  let webs: [String]
  let clients: [String]
  var podCIDRs: [String] = []

  static let all = [
    NetworkWorld(
      testDescription: "scattered", nodes: ["10.0.0.11", "10.0.0.12"], webs: ["172.16.0.5", "192.168.7.5"],
      clients: ["172.16.0.6", "192.168.7.6"]),
    NetworkWorld(
      testDescription: "one block for both nodes", nodes: ["10.0.0.11", "10.0.0.12"],
      webs: ["192.168.190.65", "192.168.190.130"], clients: ["192.168.190.66", "192.168.190.131"]),
    NetworkWorld(
      testDescription: "pods outside the pod CIDRs", nodes: ["10.0.0.11", "10.0.0.12"],
      webs: ["192.168.235.193", "192.168.77.1"], clients: ["192.168.0.9", "192.168.77.2"],
      podCIDRs: ["192.168.0.0/24", "192.168.1.0/24"]),
    NetworkWorld(
      testDescription: "two blocks on a node", nodes: ["10.0.0.11", "10.0.0.12"],
      webs: ["192.168.10.5", "192.168.30.5"], clients: ["192.168.20.5", "192.168.40.5"]),
    NetworkWorld(
      testDescription: "pods in the bridge's places", nodes: ["10.0.0.11", "10.0.0.12"],
      webs: ["192.168.10.1", "192.168.30.0"], clients: ["192.168.10.2", "192.168.30.5"]),
    NetworkWorld(
      testDescription: "pods among nodes", nodes: ["10.0.1.10", "10.0.2.10"], webs: ["10.0.1.20", "10.0.2.20"],
      clients: ["10.0.2.30", "10.0.1.40"]),
    NetworkWorld(
      testDescription: "one node with a pod CIDR", nodes: ["10.0.0.11", "10.0.0.12"],
      webs: ["10.244.0.5", "10.244.7.5"], clients: ["10.244.0.6", "10.244.0.200"]),
    NetworkWorld(
      testDescription: "IPv6, scattered", nodes: ["fd00:20::11", "fd00:20::12"], webs: ["fd00:42::5", "2001:db8::5"],
      clients: ["fd00:42::6", "2001:db8::6"]),
  ]

  private var isIPv6: Bool { webs[0].contains(":") }

  func text(policies: String) -> String {
    let names = ["n1", "n2"]
    let nodeTexts = names.indices.map { index in
      let cidr = podCIDRs.isEmpty ? "" : "podCIDR: \"\(podCIDRs[index])\""
      return
        "apiVersion: v1\nkind: Node\nmetadata: {name: \(names[index])}\nspec: {\(cidr)}\n"
        + "status: {addresses: [{type: InternalIP, address: \"\(nodes[index])\"}]}\n---\n"
    }
    let pods = names.indices.map { index in
      let status = { (ip: String) in "phase: Running, podIP: \"\(ip)\", hostIP: \"\(nodes[index])\"" }
      return podText(
        "app/web\(index)", on: names[index], labels: "app: web", ports: ["containerPort: 8080"],
        status: status(webs[index]))
        + podText("app/client\(index)", on: names[index], labels: "app: client", status: status(clients[index]))
    }
    let host = isIPv6 ? "2001:db8:99::5" : "203.0.113.5"
    return nodeTexts.joined() + pods.joined() + services + """
      apiVersion: netpol-lab/v1alpha1
      kind: Cluster
      externalHosts: [{name: far, addresses: ["\(host)"], routesToPods: true}]
      ---

      """ + policies
  }

  /// The endpoints of `web`, by which each service has endpoints on one node or both.
  private var services: String {
    let prefix = isIPv6 ? "fd00:96::" : "10.96.0."
    let specs = [
      "type: NodePort, externalTrafficPolicy: Cluster", "type: NodePort, externalTrafficPolicy: Local",
      "type: ClusterIP, internalTrafficPolicy: Local",
    ]
    return specs.enumerated().map { index, spec in
      """
      apiVersion: v1
      kind: Service
      metadata: {namespace: app, name: s\(index)}
      spec: {\(spec), selector: {app: web}, clusterIP: "\(prefix)\(index + 1)", ports: [{port: 80, targetPort: 8080}]}
      ---

      """
    }.joined()
  }
}

@Suite("Real packets in networks that the pods show", .serialized, .needsNamespaces)
struct InferredNetworkFlowTests {
  /// Nodes may reach the web pods too, so that the address with which a node masquerades matters.
  static let policies = """
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {namespace: app, name: web-in}
    spec:
      podSelector: {matchLabels: {app: web}}
      ingress:
      - from: [{podSelector: {matchLabels: {app: client}}}, {ipBlock: {cidr: 10.0.0.0/16}}, {ipBlock: {cidr: "fd00:20::/64"}}]
    ---
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {namespace: app, name: client-out}
    spec:
      podSelector: {matchLabels: {app: client}}
      policyTypes: [Egress]
      egress:
      - to: [{podSelector: {matchLabels: {app: web}}}]
        ports: [{port: 8080}]

    """

  @Test(
    "oracle, evaluator and kernel agree on every flow", arguments: EnforcementStyle.all.map(\.name), NetworkWorld.all)
  func agree(style: String, world: NetworkWorld) async throws {
    let style = try #require(EnforcementStyle.named(style))
    let cluster = try readWorld(world.text(policies: Self.policies))
    let report = try await blocking { try ClusterRun(style: style).run(cluster, version: "test") }
    #expect(report.failures.isEmpty, "\(report.document.text())")
    let clientsToWebs = report.comparisons.filter { comparison in
      guard case .pod(let from) = comparison.flow.source, case .pod(let to) = comparison.flow.destination else {
        return false
      }
      return from.name.hasPrefix("client") && to.name.hasPrefix("web") && comparison.flow.port == 8080
        && comparison.flow.transport == .tcp
    }
    #expect(clientsToWebs.count == 4 && clientsToWebs.allSatisfy { $0.observed == .allow })
  }
}
