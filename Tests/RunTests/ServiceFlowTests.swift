import Documents
// Not covered: random choice among endpoints, and session affinity.
import Enforcement
import EngineComparison
import Foundation
import Lowering
import NetpolModel
import Path
import Report
import Run
import TestSupport
import Testing

/// Two nodes with a web pod and a client each, a LAN host, and services for the web pods.
private func serviceWorld(
  policies: String = "", services: [Service], overlay: Overlay, only node: String? = nil, bridgeNetfilter: Bool = true
) throws -> Cluster {
  let text = """
    \(twoNodesText("externalHosts: [{name: lan, addresses: [192.168.1.50]}]"))
    \(podText("app/web1", on: "node1", labels: "app: web", ports: ["containerPort: 8080"]))
    \(podText("app/web2", on: "node2", labels: "app: web", ports: ["containerPort: 8080"]))
    \(podText("app/client1", on: "node1", labels: "app: client"))
    \(podText("app/client2", on: "node2", labels: "app: client"))

    """
  var cluster = try readWorld(text + policies)
  cluster.settings.overlay = overlay
  cluster.settings.bridgeNetfilter = bridgeNetfilter
  cluster.services = services
  cluster.endpointSlices = services.map { service in
    EndpointSlice(
      id: service.id, service: service.id.name, family: .v4,
      ports: service.ports.map { .init(name: $0.name, transport: $0.transport, port: 8080) },
      members: cluster.pods.filter { service.selects($0) && (node == nil || $0.node == node) }.compactMap { pod in
        pod.podIP.map { .init($0, node: pod.node, pod: pod.id) }
      })
  }
  return cluster
}

private func service(
  _ name: String, _ address: UInt32, selector: Labels = ["app": "web"], kind: Service.Kind = .nodePort,
  nodePort: UInt16? = nil, loadBalancer: IPAddress? = nil, external: Service.TrafficPolicy = .cluster,
  internal: Service.TrafficPolicy = .cluster
) -> Service {
  Service(
    id: NamespacedName("app", name), kind: kind, selector: selector,
    ports: [
      .init(name: "tcp", port: 80, targetPort: .number(8080), transport: .tcp, nodePort: nodePort),
      .init(name: "udp", port: 80, targetPort: .number(8080), transport: .udp, nodePort: nodePort),
    ],
    clusterIPs: [IPAddress(v4: address)], loadBalancerIPs: loadBalancer.map { [.init($0)] } ?? [],
    externalTrafficPolicy: external, internalTrafficPolicy: `internal`)
}

private let vip = IPAddress(v4: 0xc0a8_14c8)

@Suite("Services with real packets", .serialized, .needsNamespaces)
struct ServiceFlowTests {
  static let all = [
    service("web", 0x0a2b_0010, nodePort: 30080, loadBalancer: vip),
    service("local", 0x0a2b_0011, nodePort: 30081, external: .local, internal: .local),
    service("nobody", 0x0a2b_0012, selector: ["app": "none"], nodePort: 30082),
  ]

  private func report(_ cluster: Cluster, _ style: EnforcementStyle = .kubeRouterK3s) async throws -> RunReport {
    try await blocking { try ClusterRun(style: style).run(cluster, version: "test") }
  }

  @Test(
    "a load balancer address that is a node's own is translated on the sender's node, as with k3s's servicelb")
  func nodesAddress() async throws {
    // Only to the endpoints, not to the nodes' addresses.
    let policy = """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {namespace: app, name: client-out}
      spec:
        podSelector: {matchLabels: {app: client}}
        policyTypes: [Egress]
        egress: [{to: [{ipBlock: {cidr: 10.42.0.0/16}}]}]

      """
    let address = IPAddress(v4: 0xc0a8_140c)
    let cluster = try serviceWorld(
      policies: policy, services: [service("lb", 0x0a2b_0020, nodePort: 30090, loadBalancer: address)], overlay: .vxlan)
    let report = try await report(cluster)
    #expect(report.failures.isEmpty, "\(report.document.text())")
    let flow = report.comparisons.first {
      $0.flow.source == .pod(PodID("app", "client1")) && $0.flow.destinationAddress == address && $0.flow.port == 80
    }
    #expect(flow?.observed == .allow)
  }

  static let policies = """
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {namespace: app, name: web-in}
    spec:
      podSelector: {matchLabels: {app: web}}
      ingress:
      - from: [{podSelector: {matchLabels: {app: client}}}, {ipBlock: {cidr: 192.168.1.0/24}}]
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

  @Test("they agree with topology hints and kube-proxy's flags too, and each client uses its zone's endpoint")
  func hints() async throws {
    var cluster = try serviceWorld(policies: "", services: Self.all, overlay: .vxlan)
    let zones = ["node1": "a", "node2": "b"]
    for index in cluster.nodes.indices {
      cluster.nodes[index].labels["topology.kubernetes.io/zone"] = zones[cluster.nodes[index].name]
    }
    for slice in cluster.endpointSlices.indices {
      for member in cluster.endpointSlices[slice].members.indices {
        let zone = cluster.endpointSlices[slice].members[member].node.flatMap { zones[$0] }
        cluster.endpointSlices[slice].members[member].zoneHints = Set(zone.map { [$0] } ?? [])
      }
    }
    cluster.settings.kubeProxy.masqueradeAll = true
    cluster.settings.kubeProxy.nodePortAddresses = (cluster.node("node1")?.addresses ?? []).map { CIDR($0) }
    let report = try await report(cluster)
    #expect(report.failures.isEmpty, "\(report.document.text())")
    for node in ["node1", "node2"] {
      let own = Set(cluster.pods.filter { $0.node == node }.map { Endpoint.pod($0.id) })
      let flows = report.comparisons.filter {
        own.contains($0.flow.source) && $0.flow.destination == .service(NamespacedName("app", "web"))
      }
      #expect(!flows.isEmpty)
      for flow in flows { #expect(flow.journey.end.receiver.map(own.contains) == true, "\(flow.flow)") }
    }
  }

  @Test(
    "oracle, evaluator and kernel agree on every flow, to every service, from everywhere",
    arguments: EnforcementStyle.all.map(\.name), [(Overlay.hostGateway, "node1"), (.vxlan, "node1"), (.vxlan, "node2")])
  func agree(style: String, world: (overlay: Overlay, endpoints: String)) async throws {
    let style = try #require(EnforcementStyle.named(style))
    for policies in ["", Self.policies] {
      let cluster = try serviceWorld(
        policies: policies, services: Self.all, overlay: world.overlay, only: world.endpoints)
      let report = try await report(cluster, style)
      #expect(report.failures.isEmpty, "\(report.document.text())")
      let services = report.comparisons.filter {
        if case .service = $0.flow.destination { true } else { false }
      }
      #expect(services.contains { $0.observed == .allow })
      #expect(services.contains { $0.observed == .deny })
    }
  }
}

extension Walk.End {
  fileprivate var receiver: Endpoint? { if case .delivered(let receiver) = self { receiver } else { nil } }
}
