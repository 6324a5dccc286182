// Not covered: client affinity (the tenth difference), which is not lowered.
import Apply
import Enforcement
import EngineComparison
import Evaluator
import Kernel
import Lowering
import NetpolModel
import Network
import Path
import RuleIR
import StandingLab
import TestSupport
import Testing
import Verdicts

/// A pod of the service on node1 (web), a client beside it, a pod on node2 (far), and two hosts outside.
private func world(_ mode: KubeProxyMode, _ more: String, _ flags: String = "") throws -> Cluster {
  var stated = "mode: \(mode.keyword)"
  if case .nftables(let release) = mode { stated += ", version: \"\(release.rawValue)\"" }
  return try readWorld(
    twoNodesText(
      """
      externalHosts:
      - {name: lan, addresses: [192.168.20.50], routesToServices: node1}
      - {name: server, addresses: [192.168.20.60]}
      loadBalancerAnnouncer: node1
      kubeProxy: {\(stated)\(flags)}
      """)
      + podText(
        "app/web", on: "node1", labels: "app: web", ports: ["containerPort: 80"],
        status: "podIP: 10.42.0.5, hostIP: 192.168.20.11, phase: Running")
      + podText(
        "app/client", on: "node1", labels: "app: client",
        status: "podIP: 10.42.0.6, hostIP: 192.168.20.11, phase: Running")
      + podText(
        "app/far", on: "node2", labels: "app: far", ports: ["containerPort: 80"],
        status: "podIP: 10.42.1.7, hostIP: 192.168.20.12, phase: Running")
      + more)
}

private func service(_ spec: String, selector: String? = "app: web", balancer: String? = nil) -> String {
  """
  apiVersion: v1
  kind: Service
  metadata: {namespace: app, name: web}
  spec:
    clusterIP: 10.43.0.80
    \(selector.map { "selector: {\($0)}" } ?? "")
    \(spec)
  \(balancer.map { "status: {loadBalancer: {ingress: [{ip: \($0)}]}}" } ?? "")
  ---

  """
}

/// What becomes of a packet.
private enum Fate: Hashable, CustomStringConvertible {
  /// Answered by this address.
  case answered(String)
  /// An ICMP error comes back.
  case refused
  case dropped
  /// kube-proxy leaves it alone, and no machine has its address.
  case nobodys

  var description: String {
    switch self {
    case .answered(let address): "answered by \(address)"
    case .refused: "refused"
    case .dropped: "dropped"
    case .nobodys: "nobody's"
    }
  }
}

/// A difference between kube-proxy's modes: a flow whose fate depends on the mode.
private struct Difference: CustomTestStringConvertible, Sendable {
  /// As docs/kube-proxy-nftables.md counts them.
  let number: Int
  let title: String
  let objects: String
  let from: Endpoint
  let source: String
  let to: Endpoint
  let target: String
  let port: UInt16
  let iptables, nftables: Fate
  var release = KubeProxyRelease.latest

  var testDescription: String { "\(number). \(title)" }

  func flow() throws -> Flow {
    Flow(
      from: from, try #require(IPAddress(source)), to: to, try #require(IPAddress(target)),
      .port(TransportPort(.tcp, port)))
  }
}

private let (lan, node1, client) = (
  Endpoint.external("lan"), Endpoint.node("node1"), Endpoint.pod(PodID("app", "client"))
)
private let web = NamespacedName("app", "web")
private let plain = service("ports: [{port: 80}]")
private let nodePort = service("type: NodePort\n  ports: [{port: 80, nodePort: 30080}]")
private let balancer = Endpoint.virtualAddress(web, IPAddress(v4: 0xc0a8_14c8))
private let ranged = """
  type: LoadBalancer
    loadBalancerSourceRanges: [192.168.20.60/32]
    ports: [{port: 80, nodePort: 30080}]
  """
private let silence = policyText(
  "app/p", "podSelector: {matchLabels: {app: client}}\npolicyTypes: [Egress]\negress: []")

private let differences = [
  Difference(
    number: 1, title: "another port of a ClusterIP is refused", objects: plain, from: client, source: "10.42.0.6",
    to: .service(web), target: "10.43.0.80", port: 81, iptables: .nobodys, nftables: .refused),
  Difference(
    number: 1, title: "also for the node itself", objects: plain, from: node1, source: "192.168.20.11",
    to: .service(web), target: "10.43.0.80", port: 81, iptables: .nobodys, nftables: .refused),
  Difference(
    number: 1, title: "also for a host outside", objects: plain, from: lan, source: "192.168.20.50", to: .service(web),
    target: "10.43.0.80", port: 81, iptables: .nobodys, nftables: .refused),
  Difference(
    number: 2, title: "a free address for ClusterIPs drops packets", objects: plain, from: client,
    source: "10.42.0.6", to: .address(IPAddress(v4: 0x0a2b_0063)), target: "10.43.0.99", port: 80, iptables: .nobodys,
    nftables: .dropped),
  Difference(
    number: 2, title: "also for the node itself", objects: plain, from: node1, source: "192.168.20.11",
    to: .address(IPAddress(v4: 0x0a2b_0063)), target: "10.43.0.99", port: 80, iptables: .nobodys, nftables: .dropped),
  Difference(
    number: 3, title: "a NodePort at another address than the primary one is the node's own port", objects: nodePort,
    from: client, source: "10.42.0.6", to: node1, target: "10.42.0.1", port: 30080, iptables: .answered("10.42.0.5"),
    nftables: .answered("10.42.0.1")),
  Difference(
    number: 4, title: "a NodePort never works on 127.0.0.1", objects: nodePort, from: node1, source: "127.0.0.1",
    to: node1, target: "127.0.0.1", port: 30080, iptables: .answered("10.42.0.5"), nftables: .answered("127.0.0.1")),
  Difference(
    number: 5, title: "without an endpoint a source outside the ranges is dropped, not refused",
    objects: service(ranged, selector: "app: none", balancer: "192.168.20.200"), from: lan, source: "192.168.20.50",
    to: balancer, target: "192.168.20.200", port: 80, iptables: .refused, nftables: .dropped),
  Difference(
    number: 8, title: "source ranges drop a packet before a policy refuses it",
    objects: service(ranged, balancer: "192.168.20.200") + silence, from: client, source: "10.42.0.6", to: balancer,
    target: "192.168.20.200", port: 80, iptables: .refused, nftables: .dropped),
  Difference(
    number: 9, title: "up to 1.33 the node doesn't reach other nodes' endpoints through a policy Local",
    objects: service(
      "type: LoadBalancer\n  externalTrafficPolicy: Local\n  ports: [{port: 80, nodePort: 30080}]",
      selector: "app: far", balancer: "192.168.20.200"), from: node1, source: "192.168.20.11", to: balancer,
    target: "192.168.20.200", port: 80, iptables: .answered("10.42.1.7"), nftables: .dropped, release: .v33),
]

@Suite("kube-proxy's modes with real packets", .serialized, .needsNamespaces) struct NftablesModePacketTests {
  /// What the engines say of a flow, and what became of its packet.
  private struct Answer: Sendable {
    let comparison: Comparison
    let fate: Fate
  }

  /// `drops`: node1 has a firewall whose policy for forwarded packets is to drop them.
  private func ask(_ flow: Flow, in cluster: Cluster, withFirewall drops: Bool = false) async throws -> Answer {
    try await blocking {
      let plan = try LabPlan(cluster, .kubeRouterK3s, versionStamp: "1")
      let worker = try NamespaceWorker()
      let fabric = try Fabric(plan.topology, families: cluster.families, bridgeNetfilter: true, worker: worker)
      let loader = try RuleLoader(worker: worker)
      for node in cluster.nodes {
        let namespace = try #require(fabric.namespace(ofNode: node.name))
        for rules in try #require(plan.enforced.rulesets[node.name]) {
          try loader.load(drops && node.name == "node1" ? rules.droppingForwarded : rules, in: namespace)
        }
      }
      let backends = Backends(cluster, plan.topology)
      let observation = try #require(try KernelEngine(fabric).observe([flow], backends: backends.endpoints).first)
      let namespace = try #require(fabric.namespace(ofNode: "node1"))
      let entries = try worker.run(in: namespace) { try ConntrackEntry.list(in: NetlinkSocket(.netfilter)) }
      let entry = entries.last {
        $0.original.destination == flow.destinationAddress.bytes && $0.original.destinationPort == flow.port
          && $0.original.source == flow.sourceAddress.bytes
      }
      let comparison = plan.comparer.compare(flow, observation)
      let fate: Fate =
        switch observation {
        case .delivered: .answered(entry?.reply.source.map(String.init).joined(separator: ".") ?? "?")
        case .refused(.icmp(type: 3, code: 3)): .refused
        case .silent where comparison.journey.end.noRoute == nil: .dropped
        default: .nobodys
        }
      return Answer(comparison: comparison, fate: fate)
    }
  }

  @Test("each difference shows, and the engines agree about it in both modes", arguments: differences)
  private func difference(given: Difference) async throws {
    let flow = try given.flow()
    for (mode, fate) in [(KubeProxyMode.iptables, given.iptables), (.nftables(given.release), given.nftables)] {
      let answer = try await ask(flow, in: try world(mode, given.objects))
      #expect(answer.fate == fate, "\(mode.keyword)")
      #expect(!answer.comparison.isFailure(strict: true), "\(mode.keyword): \(answer.comparison.finding)")
      let stop = answer.comparison.journey.stop
      #expect((stop == .dropped) == (fate == .dropped), "\(mode.keyword)")
      #expect((stop == .portUnreachable) == (fate == .refused), "\(mode.keyword)")
      if case .nobodys = fate { #expect(answer.comparison.journey.end.noRoute != nil, "\(mode.keyword)") }
    }
  }

  @Test("what only the old releases drop is delivered by the others")
  func mended() async throws {
    let given = try #require(differences.last)
    for release in [KubeProxyRelease.v34, .v36] {
      let answer = try await ask(try given.flow(), in: try world(.nftables(release), given.objects))
      #expect(answer.fate == given.iptables && answer.comparison.finding == .agreement)
    }
  }

  @Test("6. a firewall that drops what it forwards is passed by marked packets in iptables mode only")
  func firewall() async throws {
    let objects =
      service("type: NodePort\n  ports: [{port: 80, nodePort: 30080}]", selector: nil) + """
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {namespace: app, name: web-a, labels: {kubernetes.io/service-name: web}}
        addressType: IPv4
        endpoints: [{addresses: [192.168.20.60]}]
        ports: [{name: "", port: 80}]
        ---

        """
    let flow = Flow(
      from: lan, try #require(IPAddress("192.168.20.50")), to: node1, try #require(IPAddress("192.168.20.11")),
      .port(TransportPort(.tcp, 30080)))
    for (mode, fate) in [
      (KubeProxyMode.iptables, Fate.answered("192.168.20.60")), (.nftables(.latest), .dropped),
    ] {
      let cluster = try world(mode, objects)
      #expect(try await ask(flow, in: cluster, withFirewall: true).fate == fate, "\(mode.keyword)")
      #expect(try await ask(flow, in: cluster).fate == .answered("192.168.20.60"), "\(mode.keyword)")
    }
  }

  @Test("7. packets that belong to no connection are dropped on their way in iptables mode only")
  func strays() throws {
    // Between machines outside: kube-router drops such packets to pods itself.
    let packet = Packet(
      from: IPAddress(v4: 0xc0a8_1432), to: IPAddress(v4: 0xc0a8_143c),
      .transport(.tcp, source: 80, destination: 40000), state: .invalid)
    for (mode, isStopped) in [(KubeProxyMode.iptables, true), (.nftables(.latest), false)] {
      let plan = try LabPlan(try world(mode, plain), .kubeRouterK3s, versionStamp: "1")
      let outcome = plan.enforced.outcome(of: packet, at: Position(node: "node1", hook: .forward))
      #expect((outcome?.verdict == .drop) == isStopped, "\(mode.keyword)")
    }
  }
}

extension Ruleset {
  fileprivate var droppingForwarded: Ruleset {
    var ruleset = self
    for table in ruleset.tables.indices where backend == .iptables && ruleset.tables[table].name == "filter" {
      for chain in ruleset.tables[table].chains.indices where ruleset.tables[table].chains[chain].name == "FORWARD" {
        ruleset.tables[table].chains[chain].base?.policy = .drop
      }
    }
    return ruleset
  }
}
