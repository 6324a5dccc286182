// Not covered: that kube-proxy's own draw is random; KubeProxy's tests compare its rules with dumps.
import Documents
import EngineComparison
import Lowering
import NetpolModel
import Report
import Run
import TestSupport
import Testing
import Verdicts

/// A service with three endpoints on two nodes, one of which admits nobody.
private let world = """
  \(twoNodesText("externalHosts: [{name: lan, addresses: [192.168.1.50]}]"))
  \(podText("app/web-0", on: "node1", labels: "app: web", ports: ["containerPort: 8080"]))
  \(podText("app/web-1", on: "node1", labels: "app: web, tier: locked", ports: ["containerPort: 8080"]))
  \(podText("app/web-2", on: "node2", labels: "app: web", ports: ["containerPort: 8080"]))
  \(podText("app/client", on: "node2", labels: "app: client"))
  apiVersion: v1
  kind: Service
  metadata: {namespace: app, name: web}
  spec:
    type: NodePort
    clusterIP: 10.43.0.80
    selector: {app: web}
    ports:
    - {name: tcp, port: 80, targetPort: 8080, nodePort: 30080}
    - {name: udp, port: 80, targetPort: 8080, protocol: UDP, nodePort: 30082}
  ---
  apiVersion: v1
  kind: Service
  metadata: {namespace: app, name: near}
  spec:
    type: NodePort
    clusterIP: 10.43.0.81
    internalTrafficPolicy: Local
    externalTrafficPolicy: Local
    selector: {app: web}
    ports: [{port: 80, targetPort: 8080, nodePort: 30081}]
  ---
  apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {namespace: app, name: lock}
  spec: {podSelector: {matchLabels: {tier: locked}}, ingress: []}
  ---

  """

/// A NodePort service with many endpoints on two nodes.
private func crowd(_ count: Int) -> String {
  let pods = (0..<count).map {
    podText("app/web-\($0)", on: "node\($0 % 2 + 1)", labels: "app: web", ports: ["containerPort: 8080"])
  }
  return twoNodesText() + pods.joined() + """
    apiVersion: v1
    kind: Service
    metadata: {namespace: app, name: web}
    spec: {type: NodePort, clusterIP: 10.43.0.80, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 30080}]}
    ---

    """
}

@Suite("A service with several endpoints", .serialized, .needsNamespaces) struct ServiceEndpointTests {
  private func report(_ style: EnforcementStyle, _ more: String = "") async throws -> RunReport {
    let cluster = try readWorld(world + more)
    return try await blocking { try ClusterRun(style: style).run(cluster, version: "test") }
  }

  private func answers(
    _ report: RunReport, _ from: Endpoint, _ to: IPAddress, _ port: TransportPort
  ) -> [String: Verdict] {
    let flows = report.comparisons.filter {
      $0.flow.source == from && $0.flow.destinationAddress == to && $0.flow.transportPort == port
    }
    return Dictionary(flows.map { ($0.flow.chosen?.description ?? "", $0.observed ?? .deny) }) { first, _ in first }
  }

  @Test(
    "is asked by packets about each of them, by every way in, in every style",
    arguments: EnforcementStyle.all)
  func each(style: EnforcementStyle) async throws {
    let report = try await report(style)
    #expect(report.failures.isEmpty, "\(report.failures.map(\.flow))")
    let pods = report.cluster.pods.filter { $0.id.name.hasPrefix("web-") }
    let address = { (number: Int) in "\(pods[number].podIPs[0]):8080" }
    let mixed: [String: Verdict] = [address(0): .allow, address(1): .deny, address(2): .allow]
    let client = Endpoint.pod(PodID("app", "client"))
    let clusterIP = try #require(IPAddress("10.43.0.80"))
    let nodes = report.cluster.nodes.compactMap { $0.address(.v4) }
    for transport in [Transport.tcp, .udp] {
      #expect(answers(report, client, clusterIP, TransportPort(transport, 80)) == mixed)
    }
    // From a pod to its own node and to the other one, which sees the pod's node as the sender; and from outside.
    for node in nodes { #expect(answers(report, client, node, TransportPort(.tcp, 30080)) == mixed) }
    for node in nodes {
      #expect(answers(report, .external("lan"), node, TransportPort(.tcp, 30080)) == mixed)
    }
    // The client is on node2, and so is the only endpoint that it may get.
    let near = try #require(IPAddress("10.43.0.81"))
    #expect(answers(report, client, near, TransportPort(.tcp, 80)) == [address(2): .allow])
    #expect(
      answers(report, .external("lan"), nodes[0], TransportPort(.tcp, 30081)) == [
        address(0): .allow, address(1): .deny,
      ])
    #expect(answers(report, .external("lan"), nodes[1], TransportPort(.tcp, 30081)) == [address(2): .allow])
  }

  @Test("with more endpoints than can be addressed has no answer if those that are asked agree")
  func many() async throws {
    let text =
      crowd(66) + podText("app/client", on: "node2", labels: "app: client") + """
        apiVersion: netpol-lab/v1alpha1
        kind: Expectations
        groups:
        - name: a
          flows: [{from: app/client, to: service/app/web, port: 80, expect: allowed}]

        """
    let (cluster, groups) = try ExpectationsWorld.read(text)
    var selection = ProbePlan.Selection(destination: .service(NamespacedName("app", "web")))
    selection.sources = [.pod(PodID("app", "client")), .node("node1"), .node("node2")]
    let report = try await blocking { [selection] in
      try ClusterRun(style: .kubeRouterK3s, selection: selection).run(cluster, expecting: groups, version: "test")
    }
    #expect(report.failures.isEmpty && report.isAsExpected)
    #expect(report.comparisons.count { $0.observed == .allow } == 3 * 63)
    let told = report.document.text(width: 200)
    #expect(told.contains("/ not asked") && told.contains("9 flows not asked"), "\(told)")
    #expect(report.expectations[0].flows[0].state == .notAsked)
  }

  @Test("gives the same answers however many connections came before, also from node to node")
  func crowded() async throws {
    let cluster = try readWorld(crowd(40))
    let report = try await blocking { try ClusterRun(style: .kubeRouterK3s).run(cluster, version: "test") }
    #expect(report.failures.isEmpty, "\(report.failures.map(\.flow))")
  }

  @Test("has a mixed answer in the grid, the list of services and the summary, with the endpoint and the policy")
  func text() async throws {
    let text = try await report(.kubeRouterK3s).document.text(width: 160)
    #expect(text.contains("% mixed: some endpoints refuse"))
    #expect(text.contains("% mixed: 1 of 3 endpoints refuses: app/web-1 (10.42.0.3:8080), by app/lock"), "\(text)")
    #expect(text.contains("questions to services had mixed answers"))
  }

  @Test(
    "meets an expectation only with all its endpoints, or if they differ and it says mixed",
    arguments: [
      ("mixed", "service/app/web", true), ("allowed", "service/app/web", false),
      ("denied", "service/app/web", false), ("mixed", "node/node1", true), ("mixed", "service/app/near", false),
      ("allowed", "service/app/near", true),
    ])
  func expectation(expect: String, to: String, isMet: Bool) async throws {
    let port = to.hasPrefix("node") ? 30080 : 80
    let text = """
      apiVersion: netpol-lab/v1alpha1
      kind: Expectations
      groups:
      - name: a
        flows: [{from: app/client, to: \(to), port: \(port), expect: \(expect)}]

      """
    let (cluster, groups) = try ExpectationsWorld.read(world + text)
    let report = try await blocking {
      try ClusterRun(style: .kubeRouterK3s, asksMatrix: false).run(cluster, expecting: groups, version: "test")
    }
    #expect(report.isAsExpected == isMet, "\(report.document.text(width: 120))")
  }

  @Test(
    "an expectation may name one endpoint, as a pod or by its address",
    arguments: [
      ("service/app/web", "app/web-0", "allowed", true), ("service/app/web", "app/web-1", "denied", true),
      ("service/app/web", "app/web-1", "allowed", false), ("service/app/web", "10.42.1.3", "allowed", true),
      ("node/node1", "app/web-1", "denied", true), ("service/app/near", "app/web-2", "allowed", true),
      // The client's node has an endpoint of its own, so the others get nothing from it.
      ("service/app/near", "app/web-0", "allowed", false), ("service/app/near", "app/web-0", "denied", false),
      ("service/app/web", "app/client", "denied", false),
    ])
  func oneEndpoint(to: String, endpoint: String, expect: String, isMet: Bool) async throws {
    let port = to.hasPrefix("node") ? 30080 : 80
    let text = """
      apiVersion: netpol-lab/v1alpha1
      kind: Expectations
      groups:
      - name: a
        flows: [{from: app/client, to: \(to), port: \(port), endpoint: \(endpoint), expect: \(expect)}]

      """
    let (cluster, groups) = try ExpectationsWorld.read(world + text)
    let report = try await blocking {
      try ClusterRun(style: .kubeRouterK3s, asksMatrix: false).run(cluster, expecting: groups, version: "test")
    }
    #expect(report.isAsExpected == isMet, "\(report.document.text(width: 120))")
    #expect(report.expectations[0].flows[0].pairs.count == 1)
  }

  @Test("names the policies that refuse, not those that admit, and counts endpoints that are not asked apart")
  func blame() async throws {
    let more = """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {namespace: app, name: client-may-all}
      spec: {podSelector: {matchLabels: {app: client}}, policyTypes: [Egress], egress: [{}]}
      ---

      """
    let text = try await report(.kubeRouterK3s, more).document.text(width: 200)
    #expect(text.contains("1 of 3 endpoints refuses: app/web-1 (10.42.0.3:8080), by app/lock"), "\(text)")
    let meshed = podText(
      "app/web-3", on: "node1", labels: "app: web", ports: ["containerPort: 8080"],
      spec: "initContainers: [{name: istio-init}]")
    let mixed = try await report(.kubeRouterK3s, meshed).document.text(width: 200)
    #expect(mixed.contains("1 of 3 endpoints refuses (1 more not asked): app/web-1"), "\(mixed)")
    #expect(mixed.contains("Not asked: Istio redirects the TCP connections of pod app/web-3"))
  }
}
