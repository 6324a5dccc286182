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
import Verdicts

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

  @Test("a node reaches its own NodePorts at each of its addresses, also on 127.0.0.1 unless kube-proxy forbids that")
  func nodesOwnPorts() async throws {
    var cluster = try serviceWorld(services: Self.all, overlay: .vxlan)
    for isOpen in [true, false] {
      cluster.settings.kubeProxy.localhostNodePorts = isOpen
      for (address, leads) in [("192.168.20.11", true), ("10.42.0.1", true), ("127.0.0.1", isOpen)] {
        let target = try #require(IPAddress(address))
        var selection = ProbePlan.Selection(
          source: .node("node1"), destination: target.isLoopback ? .address(target) : .node("node1"),
          destinationAddress: target)
        selection.ports = [30080, 30081].map { .question(.port(TransportPort(.tcp, $0))) }
        let asked = selection
        let given = cluster
        let report = try await blocking {
          try ClusterRun(style: .kubeRouterK3s, selection: asked).run(given, version: "test")
        }
        #expect(report.failures.isEmpty, "\(report.document.text())")
        let answers = report.comparisons.filter { $0.finding == .agreement }
        #expect(answers.count == (leads ? 4 : 2) && answers.allSatisfy { $0.observed == .allow }, "\(address)")
        #expect(answers.allSatisfy { ($0.journey.translatedTo != nil) == leads })
      }
    }
  }

  @Test("with nodePortAddresses primary only a node's first address has NodePorts")
  func primaryAddress() async throws {
    var cluster = try serviceWorld(services: Self.all, overlay: .vxlan)
    cluster.settings.kubeProxy.nodePortsAtPrimary = true
    for (address, leads) in [("192.168.20.11", true), ("10.42.0.1", false), ("127.0.0.1", false)] {
      let target = try #require(IPAddress(address))
      var selection = ProbePlan.Selection(
        source: target.isLoopback ? .node("node1") : .pod(PodID("app", "client1")),
        destination: target.isLoopback ? .address(target) : .node("node1"), destinationAddress: target)
      selection.ports = [.question(.port(TransportPort(.tcp, 30080)))]
      let (asked, given) = (selection, cluster)
      let report = try await blocking {
        try ClusterRun(style: .kubeRouterK3s, selection: asked).run(given, version: "test")
      }
      #expect(report.failures.isEmpty && !report.comparisons.isEmpty, "\(report.document.text())")
      #expect(report.comparisons.allSatisfy { ($0.journey.translatedTo != nil) == leads }, "\(address)")
    }
  }

  @Test("a host with a route to the service network reaches a ClusterIP with its gateway's address")
  func routeToServices() async throws {
    var cluster = try serviceWorld(services: Self.all, overlay: .vxlan, only: "node1")
    cluster.externalHosts[0].routesToServices = "node2"
    let asked = ProbePlan.Selection(
      source: .external("lan"), destination: .service(NamespacedName("app", "web")),
      ports: [TransportPort(.tcp, 80)])
    for (policy, verdict) in [("", Verdict.allow), (Self.policies, .deny)] {
      var given = try serviceWorld(policies: policy, services: Self.all, overlay: .vxlan, only: "node1")
      given.externalHosts = cluster.externalHosts
      let world = given
      let report = try await blocking {
        try ClusterRun(style: .kubeRouterK3s, selection: asked).run(world, version: "test")
      }
      #expect(report.failures.isEmpty, "\(report.document.text())")
      #expect(report.comparisons.map(\.observed) == [verdict])
      // The policy would admit 192.168.1.50, but sees node2's end of the tunnel.
      let last = report.comparisons.first?.journey.steps.last
      #expect(last?.source.description == "10.42.1.0" && last?.position.node == "node1")
    }
  }

  @Test(
    "kube-proxy without a cluster CIDR masquerades nobody at a ClusterIP, and takes pods for strangers at a NodePort")
  func noClusterCIDR() async throws {
    var cluster = try serviceWorld(policies: Self.policies, services: Self.all, overlay: .vxlan)
    let client = Endpoint.pod(PodID("app", "client2"))
    for isKnown in [true, false] {
      cluster.settings.kubeProxy.knowsClusterCIDR = isKnown
      let report = try await report(cluster)
      #expect(report.failures.isEmpty, "\(report.document.text())")
      // A pod that kube-proxy recognises reaches all endpoints of policy Local by a short cut.
      let local = report.comparisons.filter {
        $0.flow.source == client && $0.flow.destination == .node("node2") && $0.flow.port == 30081
          && $0.flow.transport == .tcp
      }
      #expect(local.count == (isKnown ? 2 : 1))
    }
  }

  private static let web = podText(
    "app/web", on: "node2", labels: "app: web", ports: ["containerPort: 8080, hostPort: 8081"])
  private static let lock = """
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {namespace: app, name: lock}
    spec: {podSelector: {matchLabels: {app: web}}, ingress: []}
    ---

    """

  /// A Service without selector, with one endpoint.
  private static func front(_ address: String, _ port: Int, _ spec: String = "") -> String {
    """
    apiVersion: v1
    kind: Service
    metadata: {namespace: app, name: front}
    spec: {type: NodePort, ports: [{port: 80, nodePort: 30080}]\(spec)}
    ---
    apiVersion: v1
    kind: Endpoints
    metadata: {namespace: app, name: front}
    subsets: [{addresses: [{ip: \(address)}], ports: [{port: \(port)}]}]
    ---

    """
  }

  @Test(
    "an endpoint that is another node's host port is translated again there, and one without a node is where its pod is",
    arguments: [("192.168.20.12", 8081), ("10.42.1.3", 8080)])
  func endpointsByHand(address: String, port: Int) async throws {
    let text =
      twoNodesText("externalHosts: [{name: lan, addresses: [192.168.1.50]}]") + Self.web
      + podText("app/client", on: "node1", labels: "app: client")
      + podText("app/by", on: "node2", labels: "app: by")
    for policies in ["", Self.lock] {
      let given = try readWorld(
        text.replacing("app/web", with: "app/web") + Self.front(address, port) + policies)
      let report = try await report(given)
      #expect(report.failures.isEmpty, "\(report.document.text())")
      let asked = report.comparisons.filter {
        $0.flow.destination == .service(NamespacedName("app", "front"))
          && $0.flow.source == .pod(PodID("app", "client"))
      }
      #expect(asked.map(\.observed) == [policies.isEmpty ? .allow : .deny])
    }
  }

  @Test("a balancer with ipMode Proxy is a machine that pods reach, and that reaches NodePorts with its own address")
  func proxiedBalancer() async throws {
    let text =
      twoNodesText() + Self.web + podText("app/client", on: "node1", labels: "app: client")
        + """
        apiVersion: v1
        kind: Service
        metadata: {namespace: app, name: front}
        spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 30080}], externalTrafficPolicy: Local}
        status: {loadBalancer: {ingress: [{ip: 192.168.20.200, ipMode: Proxy}]}}
        ---

        """ + Self.lock.replacing("ingress: []", with: "ingress: [{from: [{ipBlock: {cidr: 192.168.20.200/32}}]}]")
    let report = try await report(try readWorld(text))
    #expect(report.failures.isEmpty, "\(report.document.text())")
    let balancer = Endpoint.external("192.168.20.200")
    let inwards = report.comparisons.filter { $0.flow.source == balancer && $0.flow.port == 30080 }
    #expect(inwards.first { $0.flow.destination == .node("node2") }?.observed == .allow)
    #expect(inwards.first { $0.flow.destination == .node("node1") }?.observed == .deny)
    let outwards = report.comparisons.filter {
      $0.flow.source == .pod(PodID("app", "client")) && $0.flow.destination == balancer
    }
    #expect(!outwards.isEmpty && outwards.allSatisfy { $0.observed == .allow && $0.flow.chosen == nil })
  }

  @Test("a reply that does not pass the node that translated is no answer, in all engines")
  func bypassedReply() async throws {
    let text =
      twoNodesText(
        "externalHosts: [{name: lan, addresses: [192.168.1.50], routesToServices: node1}]\nkubeProxy: {noClusterCIDR: true}"
      )
      + podText("app/web", on: "node2", labels: "app: web", ports: ["containerPort: 8080"], spec: "hostNetwork: true")
      + Self.front("192.168.20.12", 8080, ", clusterIP: 10.43.0.80")
    let report = try await report(try readWorld(text))
    #expect(report.failures.isEmpty, "\(report.document.text())")
    let asked = report.comparisons.filter {
      $0.flow.destination == .service(NamespacedName("app", "front")) && $0.flow.source == .external("lan")
    }
    #expect(asked.count == 1 && asked[0].observed != .allow)
    #expect(asked.first?.journey.end.noRoute?.description.contains("past node1, and is not translated back") == true)
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
