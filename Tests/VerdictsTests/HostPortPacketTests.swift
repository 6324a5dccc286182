// Not covered: snat false and other options of portmap, and UDP entries that outlive a pod.
import Apply
import Enforcement
import EngineComparison
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

/// A pod with host ports on node1, a neighbour, a pod on node2, and a host outside.
private func world(_ mapping: HostPortMapping, hostIP: String? = nil, _ policies: String = "") throws -> Cluster {
  let bound = hostIP.map { ", hostIP: \($0)" } ?? ""
  return try readWorld(
    twoNodesText("externalHosts: [{name: lan, addresses: [192.168.20.50]}]\nhostPorts: \(mapping.rawValue)")
      + podText(
        "app/web", on: "node1", labels: "app: web",
        ports: [
          "name: tcp, containerPort: 80, hostPort: 8080\(bound)",
          "name: udp, containerPort: 53, hostPort: 5353, protocol: UDP\(bound)",
          "name: sctp, containerPort: 9998, hostPort: 9999, protocol: SCTP\(bound)",
        ], status: "podIP: 10.42.0.5, hostIP: 192.168.20.11, phase: Running")
      + podText(
        "app/near", on: "node1", labels: "app: near", status: "podIP: 10.42.0.6, hostIP: 192.168.20.11, phase: Running")
      + podText(
        "app/far", on: "node2", labels: "app: far", status: "podIP: 10.42.1.7, hostIP: 192.168.20.12, phase: Running")
      + policies)
}

/// A row of the tables that were recorded with the real plugin: who sends to which address, and what others see.
private struct Row: CustomTestStringConvertible, Sendable {
  let name: String
  let from: Endpoint
  let source, target: String
  /// The packets that policies judge, in order: `node1 forward 10.42.0.6 -> 10.42.0.5`, without ports.
  let judged: [String]
  /// The source that the pod sees, with iptables and with nftables.
  let seen: String
  var seenWithNftables: String?
  var testDescription: String { name }

  func flow(_ port: TransportPort = TransportPort(.tcp, 8080)) throws -> Flow {
    let address = try #require(IPAddress(target))
    let destination = address.isLoopback ? from : .node("node1")
    return Flow(from: from, try #require(IPAddress(source)), to: destination, address, .port(port))
  }
}

private let outside = Endpoint.external("lan")
private let (web, near, far) = (
  Endpoint.pod(PodID("app", "web")), Endpoint.pod(PodID("app", "near")), Endpoint.pod(PodID("app", "far"))
)

private let rows = [
  Row(
    name: "outside -> node", from: outside, source: "192.168.20.50", target: "192.168.20.11",
    judged: ["node1 forward 192.168.20.50 -> 10.42.0.5"], seen: "192.168.20.50"),
  Row(
    name: "own node -> its LAN address", from: .node("node1"), source: "192.168.20.11", target: "192.168.20.11",
    judged: ["node1 output 192.168.20.11 -> 10.42.0.5"], seen: "192.168.20.11"),
  Row(
    name: "own node -> 127.0.0.1", from: .node("node1"), source: "127.0.0.1", target: "127.0.0.1",
    judged: ["node1 output 127.0.0.1 -> 10.42.0.5"], seen: "10.42.0.1"),
  Row(
    name: "own node -> 127.0.0.2", from: .node("node1"), source: "127.0.0.1", target: "127.0.0.2",
    judged: ["node1 output 127.0.0.1 -> 10.42.0.5"], seen: "10.42.0.1"),
  Row(
    name: "own node -> cni0", from: .node("node1"), source: "10.42.0.1", target: "10.42.0.1",
    judged: ["node1 output 10.42.0.1 -> 10.42.0.5"], seen: "10.42.0.1"),
  Row(
    name: "other node -> node", from: .node("node2"), source: "192.168.20.12", target: "192.168.20.11",
    judged: ["node2 output 192.168.20.12 -> 192.168.20.11", "node1 forward 192.168.20.12 -> 10.42.0.5"],
    seen: "192.168.20.12"),
  Row(
    name: "other node -> cni0", from: .node("node2"), source: "10.42.1.0", target: "10.42.0.1",
    judged: ["node2 output 10.42.1.0 -> 10.42.0.1", "node1 forward 10.42.1.0 -> 10.42.0.5"], seen: "10.42.1.0"),
  Row(
    name: "pod of the node -> node", from: near, source: "10.42.0.6", target: "192.168.20.11",
    judged: ["node1 forward 10.42.0.6 -> 10.42.0.5"], seen: "10.42.0.1", seenWithNftables: "10.42.0.6"),
  Row(
    name: "pod of the node -> cni0", from: near, source: "10.42.0.6", target: "10.42.0.1",
    judged: ["node1 forward 10.42.0.6 -> 10.42.0.5"], seen: "10.42.0.1", seenWithNftables: "10.42.0.6"),
  Row(
    name: "itself -> node", from: web, source: "10.42.0.5", target: "192.168.20.11",
    judged: ["node1 forward 10.42.0.5 -> 10.42.0.5"], seen: "10.42.0.1"),
  Row(
    name: "itself -> cni0", from: web, source: "10.42.0.5", target: "10.42.0.1",
    judged: ["node1 forward 10.42.0.5 -> 10.42.0.5"], seen: "10.42.0.1"),
  Row(
    name: "pod of another node -> node", from: far, source: "10.42.1.7", target: "192.168.20.11",
    judged: ["node2 forward 10.42.1.7 -> 192.168.20.11", "node1 forward 192.168.20.12 -> 10.42.0.5"],
    seen: "192.168.20.12"),
  Row(
    name: "pod of another node -> cni0", from: far, source: "10.42.1.7", target: "10.42.0.1",
    judged: ["node2 forward 10.42.1.7 -> 10.42.0.1", "node1 forward 10.42.1.7 -> 10.42.0.5"], seen: "10.42.1.7"),
  Row(
    name: "pod of another node -> flannel.1", from: far, source: "10.42.1.7", target: "10.42.0.0",
    judged: ["node2 forward 10.42.1.7 -> 10.42.0.0", "node1 forward 10.42.1.7 -> 10.42.0.5"], seen: "10.42.1.7"),
]

@Suite("Host ports with real packets", .serialized, .needsNamespaces) struct HostPortPacketTests {
  /// What the three engines say of each flow, and whom the pod saw as the sender.
  private struct Answers: Sendable {
    var comparisons: [Comparison] = []
    var senders: [String?] = []
  }

  private func ask(
    _ flows: [Flow], in cluster: Cluster, _ style: EnforcementStyle = .kubeRouterK3s
  ) async throws -> Answers {
    try await blocking {
      let lab = try LoadedFabric(cluster, style)
      let (plan, worker, fabric) = (lab.plan, lab.worker, lab.fabric)
      let observations = try KernelEngine(fabric).observe(flows, backends: lab.backends.endpoints)
      let namespace = try #require(fabric.namespace(ofNode: "node1"))
      let entries = try worker.run(in: namespace) { try ConntrackEntry.list(in: NetlinkSocket(.netfilter)) }
      var answers = Answers()
      for (flow, observation) in zip(flows, observations) {
        answers.comparisons.append(plan.comparer.compare(flow, observation))
        // Another node's address may stand for the sender there.
        let entry = entries.last {
          $0.original.destination == flow.destinationAddress.bytes && $0.original.destinationPort == flow.port
            && $0.original.transport == flow.transport?.number
            && ($0.original.source == flow.sourceAddress.bytes
              || flow.source == far && $0.original.source == [192, 168, 20, 12])
        }
        answers.senders.append(entry.map { $0.reply.destination.map(String.init).joined(separator: ".") })
      }
      return answers
    }
  }

  @Test(
    "every way in is judged on the addresses that were recorded, and the pod sees the recorded sender",
    arguments: [HostPortMapping.portmap, .portmapNftables],
    [
      TransportPort(.tcp, 8080), TransportPort(.udp, 5353), TransportPort(.sctp, 9999),
    ])
  func ways(mapping: HostPortMapping, port: TransportPort) async throws {
    let answers = try await ask(try rows.map { try $0.flow(port) }, in: try world(mapping))
    for (row, (comparison, sender)) in zip(rows, zip(answers.comparisons, answers.senders)) {
      #expect(comparison.finding == .agreement && comparison.observed == .allow, "\(row.name): \(comparison.finding)")
      let judged = comparison.journey.steps.filter { $0.event == .passed }.map {
        "\($0.position.node) \($0.position.hook.rawValue) \($0.source) -> \($0.destination)"
      }
      #expect(judged == row.judged, "\(row.name)")
      let seen = mapping == .portmapNftables ? row.seenWithNftables ?? row.seen : row.seen
      #expect(sender == seen, "\(row.name)")
    }
  }

  /// The pod sends nothing. If it might, kube-router would also let it send to itself (D9).
  private static func ingress(_ from: String) -> String {
    policyText("app/p", "podSelector: {matchLabels: {app: web}}\npolicyTypes: [Ingress, Egress]\ningress: [\(from)]")
  }

  /// Each policy with the rows that it lets in besides those of the own node, which always pass.
  private static let policies: [(policy: String, admits: [String])] = [
    (ingress(""), []),
    (ingress("{from: [{ipBlock: {cidr: 192.168.20.50/32}}]}"), ["outside -> node"]),
    (
      ingress("{from: [{ipBlock: {cidr: 192.168.20.12/32}}]}"), ["other node -> node", "pod of another node -> node"]
    ),
    (
      ingress("{from: [{podSelector: {matchLabels: {app: near}}}]}"),
      ["pod of the node -> node", "pod of the node -> cni0"]
    ),
    (ingress("{from: [{podSelector: {matchLabels: {app: web}}}]}"), ["itself -> node", "itself -> cni0"]),
    (
      ingress("{from: [{podSelector: {matchLabels: {app: far}}}]}"),
      ["pod of another node -> cni0", "pod of another node -> flannel.1"]
    ),
    (ingress("{from: [{ipBlock: {cidr: 10.42.0.1/32}}]}"), []),
    (ingress("{from: [{ipBlock: {cidr: 10.42.1.0/32}}]}"), ["other node -> cni0"]),
  ]

  @Test(
    "an ingress policy of the pod admits exactly the senders that it sees",
    arguments: policies.indices, [HostPortMapping.portmap, .portmapNftables])
  func ingress(index: Int, mapping: HostPortMapping) async throws {
    let (policy, admits) = Self.policies[index]
    let answers = try await ask(try rows.map { try $0.flow() }, in: try world(mapping, policy))
    for (row, comparison) in zip(rows, answers.comparisons) {
      let passes = row.name.hasPrefix("own node") || admits.contains(row.name)
      #expect(comparison.observed == (passes ? .allow : .deny), "\(row.name)")
      // The specification lets a pod reach itself; kube-router does not.
      let isHairpin = row.name.hasPrefix("itself") && !passes
      #expect(comparison.finding == (isHairpin ? .deviation([.hairpin]) : .agreement), "\(row.name)")
    }
  }

  @Test(
    "an egress policy of the sender judges the pod's port on its own node, and the host port elsewhere",
    arguments: [
      ("near", "pod of the node -> node", "10.42.0.5", true), ("web", "itself -> node", "10.42.0.5", true),
      ("far", "pod of another node -> node", "192.168.20.11", false),
    ])
  func egress(sender: String, name: String, address: String, seesPod: Bool) async throws {
    let row = try #require(rows.first { $0.name == name })
    for (target, port) in [("192.168.20.11", 8080), ("192.168.20.11", 80), ("10.42.0.5", 80)] {
      let policy = policyText(
        "app/p",
        "podSelector: {matchLabels: {app: \(sender)}}\npolicyTypes: [Ingress, Egress]\n"
          + "egress: [{to: [{ipBlock: {cidr: \(target)/32}}], ports: [{port: \(port)}]}]")
      let answers = try await ask([try row.flow()], in: try world(.portmap, policy))
      let comparison = try #require(answers.comparisons.first)
      let passes = target == address && port == (seesPod ? 80 : 8080)
      #expect(comparison.observed == (passes ? .allow : .deny), "\(target):\(port)")
      #expect(!comparison.isFailure(strict: false), "\(comparison.finding)")
    }
  }

  @Test("hostIP binds the port to its address", arguments: [HostPortMapping.portmap, .portmapNftables])
  func hostIP(mapping: HostPortMapping) async throws {
    let names = ["outside -> node", "own node -> 127.0.0.1", "own node -> its LAN address", "pod of the node -> cni0"]
    let asked = try names.map { name in try #require(rows.first { $0.name == name }) }
    // Elsewhere the node itself is asked. It answers here, since the lab listens at every destination.
    for (address, led) in [("127.0.0.1", [false, true, false, false]), ("192.168.20.11", [true, false, true, false])] {
      let answers = try await ask(try asked.map { try $0.flow() }, in: try world(mapping, hostIP: address))
      #expect(answers.comparisons.map { $0.journey.translatedTo != nil } == led)
      #expect(answers.comparisons.allSatisfy { $0.finding == .agreement && $0.observed == .allow })
    }
  }

  @Test("a pod's own 127.0.0.1 is not its node's, and a port that is bound elsewhere says so")
  func ownLoopback() async throws {
    let cluster = try world(.portmap, hostIP: "127.0.0.1", Self.ingress(""))
    let (loopback, node) = (IPAddress.loopback(.v4), try #require(IPAddress("192.168.20.11")))
    let answers = try await ask(
      [
        Flow(from: near, loopback, to: near, loopback, .tcp, 8080),
        Flow(from: outside, try #require(IPAddress("192.168.20.50")), to: .node("node1"), node, .tcp, 8080),
      ], in: cluster)
    #expect(answers.comparisons.allSatisfy { $0.finding == .agreement && $0.observed == .allow })
    let unserved = Reason.unserved(.hostPort(TransportPort(.tcp, 8080), of: PodID("app", "web")), node)
    #expect(answers.comparisons.map { $0.specified?.because.contains(unserved) } == [false, true])
  }

  @Test("nothing comes back from ::1, and other ways in work over IPv6 as over IPv4")
  func loopbackV6() async throws {
    let text = """
      apiVersion: netpol-lab/v1alpha1
      kind: Cluster
      nodes: [{name: node1, addresses: [fd00::11], podCIDRs: ["fd42:1::/64"]}]
      externalHosts: [{name: lan, addresses: ["fd00::50"]}]
      ---

      """
    let cluster = try readWorld(
      text
        + podText(
          "app/web", on: "node1", ports: ["containerPort: 80, hostPort: 8080"],
          status: "podIP: \"fd42:1::5\", hostIP: \"fd00::11\", phase: Running")
        + podText("app/near", on: "node1", status: "podIP: \"fd42:1::6\", hostIP: \"fd00::11\", phase: Running"))
    let port = Flow.Question.port(TransportPort(.tcp, 8080))
    let address = { (text: String) in try #require(IPAddress(text)) }
    let node = try address("fd00::11")
    let answers = try await ask(
      [
        Flow(from: outside, try address("fd00::50"), to: .node("node1"), node, port),
        Flow(from: .node("node1"), node, to: .node("node1"), node, port),
        Flow(from: near, try address("fd42:1::6"), to: .node("node1"), node, port),
        Flow(from: web, try address("fd42:1::5"), to: .node("node1"), node, port),
        Flow(from: .node("node1"), .loopback(.v6), to: .node("node1"), .loopback(.v6), port),
      ], in: cluster)
    #expect(answers.comparisons.prefix(4).allSatisfy { $0.finding == .agreement && $0.observed == .allow })
    let last = try #require(answers.comparisons.last)
    #expect(last.finding == .noRoute(.loopbackSource(.loopback(.v6))) && last.observed != .allow)
  }

  @Test("a service's address comes before a host port with iptables, and behind it with nftables, loaded later")
  func order() async throws {
    let service = """
      apiVersion: v1
      kind: Service
      metadata: {namespace: app, name: s}
      spec: {clusterIP: 10.43.0.9, externalIPs: [192.168.20.11], selector: {app: near}, ports: [{port: 8080, targetPort: 80}]}
      ---

      """
    for (mapping, address) in [(HostPortMapping.portmap, "10.42.0.6"), (.portmapNftables, "10.42.0.5")] {
      let cluster = try world(mapping, service)
      let row = try #require(rows.first)
      let comparison = try #require(try await ask([try row.flow()], in: cluster).comparisons.first)
      #expect(comparison.observed == .allow)
      #expect(comparison.journey.translatedTo?.address.description == address)
    }
  }

}
