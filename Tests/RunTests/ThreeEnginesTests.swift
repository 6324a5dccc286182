// Not covered: styles other than k3s's, services, and what happens while rules change.
import Apply
import Documents
import Enforcement
import EngineComparison
import Foundation
import Kernel
import Lowering
import NetpolModel
import Network
import Path
import Rendering
import Report
import RuleIR
import Run
import TestSupport
import Testing
import Verdicts

private let base =
  webAndClient + secondWeb + podText("other/client", on: "node1", labels: "app: client")
  + podText("app/host", on: "node2", labels: "app: web", spec: "hostNetwork: true")

private let policies = """
  apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {namespace: app, name: both}
  spec:
    podSelector: {matchLabels: {app: web}}
    policyTypes: [Ingress, Egress]
    ingress:
    - from: [{podSelector: {matchLabels: {app: client}}}]
      ports: [{port: http}, {protocol: UDP, port: 53, endPort: 60}, {protocol: SCTP, port: 3868}]
    - from: [{ipBlock: {cidr: 192.168.0.0/16, except: [192.168.1.0/24]}}]
    - from: [{podSelector: {matchLabels: {app: web}}}]
      ports: [{port: 443}]
  ---

  """

private let hosts = """
  apiVersion: netpol-lab/v1alpha1
  kind: Cluster
  externalHosts:
  - {name: lan, addresses: [192.168.1.9], routesToPods: true}
  - {name: other-lan, addresses: [192.168.2.9], routesToPods: true}
  - {name: far, addresses: [203.0.113.9]}

  """

@Suite("Three engines and real packets", .serialized, .needsNamespaces)
struct ThreeEnginesTests {
  private func run(
    _ text: String, _ selection: ProbePlan.Selection = .init(), style: EnforcementStyle = .kubeRouterK3s
  ) async throws -> RunReport {
    try await blocking {
      try ClusterRun(style: style, selection: selection).run(try readWorld(text), version: "test")
    }
  }

  @Test(
    "agree on every pair, port and transport of a small world in every style, with D1 and D8 shown by the kernel",
    arguments: EnforcementStyle.all.map(\.name))
  func smallWorld(style: String) async throws {
    let style = try #require(EnforcementStyle.named(style))
    let report = try await run(base + policies + hosts, style: style)
    #expect(report.failures.isEmpty, "\(report.document.text())")
    let shown = Set(
      report.comparisons.flatMap { comparison -> [Deviation] in
        if case .deviation(let numbers) = comparison.finding, comparison.observed != nil { numbers } else { [] }
      })
    #expect(shown == style.traits.deviations.intersection([.bothTypePolicy, .ownNodePorts]))
    for transport in Transport.allCases {
      let of = report.comparisons.filter { $0.flow.transport == transport }
      #expect(of.contains { $0.observed == .allow } && of.contains { $0.observed == .deny }, "\(transport)")
    }
  }

  @Test("a refusal differs from silence: kube-router rejects, and the lab's nodes don't limit ICMP errors")
  func rejects() async throws {
    let report = try await run(base + policies + hosts)
    for comparison in report.comparisons {
      if case .silent? = comparison.observation { Issue.record("silent: \(comparison.flow)") }
    }
  }

  @Test("IPv4 and IPv6 are both enforced in one cluster")
  func dualStack() async throws {
    let families = """
      apiVersion: netpol-lab/v1alpha1
      kind: Cluster
      nodes:
      - {name: node1, addresses: [192.168.20.11, 'fd00:20::11'], podCIDRs: [10.42.0.0/24, 'fd00:42::/64']}
      - {name: node2, addresses: [192.168.20.12, 'fd00:20::12'], podCIDRs: [10.42.1.0/24, 'fd00:42:0:1::/64']}
      """
    let report = try await run(base + policies + families)
    #expect(report.failures.isEmpty, "\(report.document.text())")
    for family in IPFamily.allCases {
      for transport in Transport.allCases {
        let of = report.comparisons.filter { $0.flow.family == family && $0.flow.transport == transport }
        #expect(
          of.contains { $0.observed == .allow } && of.contains { $0.observed == .deny }, "\(family) \(transport)")
      }
    }
  }

  @Test("the requested address is the one that is probed, also behind an external host")
  func addresses() async throws {
    let networks = """
      apiVersion: netpol-lab/v1alpha1
      kind: Cluster
      externalHosts:
      - {name: gw, addresses: [192.168.1.9, 192.168.1.10], networks: [198.51.100.0/24], routesToPods: true}

      """
    let deny = """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {namespace: app, name: p}
      spec:
        podSelector: {matchLabels: {app: web}}
        policyTypes: [Ingress, Egress]
        ingress: [{from: [{ipBlock: {cidr: 198.51.100.7/32}}]}]
        egress: [{to: [{ipBlock: {cidr: 192.168.1.10/32}}, {ipBlock: {cidr: 198.51.100.8/32}}]}]
      ---

      """
    let web = Endpoint.pod(PodID("app", "web"))
    let cases: [(from: String?, to: String?, expected: Verdict)] = [
      ("198.51.100.7", nil, .allow), ("198.51.100.9", nil, .deny), (nil, "192.168.1.10", .allow),
      (nil, "192.168.1.9", .deny), (nil, "198.51.100.8", .allow), (nil, "198.51.100.7", .deny),
    ]
    for (from, to, expected) in cases {
      let endpoint = { (text: String?) -> Endpoint in
        guard let address = text.flatMap(IPAddress.init) else { return web }
        return address.bits >> 8 == 0xc0a801 ? .external("gw") : .address(address)
      }
      let selection = ProbePlan.Selection(
        source: endpoint(from), destination: endpoint(to), sourceAddress: from.flatMap(IPAddress.init),
        destinationAddress: to.flatMap(IPAddress.init), ports: [TransportPort(.tcp, 80)])
      let report = try await run(base + deny + networks, selection)
      #expect(report.failures.isEmpty && report.comparisons.map(\.observed) == [expected], "\(from ?? "") \(to ?? "")")
      let asked = try #require(report.comparisons.first).flow
      #expect(from.map { asked.sourceAddress.description == $0 } ?? true)
      #expect(to.map { asked.destinationAddress.description == $0 } ?? true)
    }
  }

  @Test("an address of an IPv6 network behind a host can send and receive over every transport")
  func networkOfIPv6() async throws {
    let networks = """
      apiVersion: netpol-lab/v1alpha1
      kind: Cluster
      nodes:
      - {name: node1, addresses: ['fd00:20::11'], podCIDRs: ['fd00:42::/64']}
      - {name: node2, addresses: ['fd00:20::12'], podCIDRs: ['fd00:42:0:1::/64']}
      externalHosts:
      - {name: gw, addresses: ['fd00:20::99'], networks: ['2001:db8:99::/48'], routesToPods: true}

      """
    let behind = try #require(IPAddress("2001:db8:99::7"))
    let web = Endpoint.pod(PodID("app", "web"))
    let ports = Transport.allCases.map { TransportPort($0, 80) }
    for selection in [
      ProbePlan.Selection(source: web, destination: .address(behind), destinationAddress: behind, ports: ports),
      ProbePlan.Selection(source: .address(behind), destination: web, sourceAddress: behind, ports: ports),
    ] {
      let report = try await run(base + networks, selection)
      #expect(report.failures.isEmpty && report.comparisons.map(\.observed) == [.allow, .allow, .allow])
    }
  }

  @Test("pods with the first and last addresses of a block, or in another node's block, can be reached")
  func oddAddresses() async throws {
    let pod = { (name: String, node: String, ip: String) in
      podText(
        "odd/\(name)", on: node,
        status: "phase: Running, hostIP: 192.168.20.1\(node.suffix(1)), podIP: \(ip), podIPs: [{ip: \(ip)}]")
    }
    let nodes = """
      apiVersion: netpol-lab/v1alpha1
      kind: Cluster
      nodes:
      - {name: node1, addresses: [192.168.20.11], podCIDRs: [10.50.0.0/24]}
      - {name: node2, addresses: [192.168.20.12], podCIDRs: [10.50.1.0/24]}

      """
    for (first, second) in [("10.50.0.1", "10.50.1.255"), ("10.50.0.0", "10.50.1.0"), ("10.50.1.9", "10.50.0.9")] {
      let text = pod("a", "node1", first) + pod("b", "node2", second) + pod("c", "node1", "10.50.0.77") + nodes
      let report = try await run(text, .init(ports: [TransportPort(.tcp, 80), TransportPort(.udp, 53)]))
      #expect(report.failures.isEmpty && report.comparisons.allSatisfy { $0.observed == .allow }, "\(first) \(second)")
    }
  }

  @Test("a lab of 50 pods on 3 nodes is built, and the time is printed")
  func fiftyPods() async throws {
    let pods = (0..<50).map { index in
      podText("ns\(index % 5)/p\(index)", on: "node\(index % 3)", labels: "number: '\(index)'")
    }.joined()
    let ports = [TransportPort(.tcp, 80), TransportPort(.udp, 53)]
    let policy =
      "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {namespace: ns0, name: deny}\nspec: {podSelector: {}}\n"
    let report = try await run(pods + policy, .init(ports: ports))
    #expect(report.failures.isEmpty)
    #expect(report.plan.flows.count > 50 * 49 * 2)
    print(
      "50 pods on 3 nodes: built in \(report.timings.build), rules in \(report.timings.load), "
        + "\(report.plan.flows.count) flows in \(report.timings.probe)")
  }

  @Test("a single flow is shown with reasons and the deciding rule; JSON has its schema and every flow")
  func reports() async throws {
    let selection = ProbePlan.Selection(
      source: .pod(PodID("other", "client")), destination: .pod(PodID("app", "web")), ports: [TransportPort(.tcp, 8080)]
    )
    let report = try await run(base + policies, selection)
    let text = report.document.text()
    #expect(text.contains("DENIED"))
    #expect(text.contains("isolated for ingress by app/both"))
    #expect(text.contains("KUBE-POD-FW-") && text.contains("REJECT"))
    let object = try JSONSerialization.jsonObject(with: try report.document.json()) as? [String: Any]
    #expect(object?["schema"] as? String == "netpol-lab/run/v3")
    let flows = try #require(object?["flows"] as? [[String: Any]])
    #expect(
      flows.count == 1 && flows[0]["kernel"] as? String == "denied" && flows[0]["mechanism"] as? String == "rejected")
  }
}
