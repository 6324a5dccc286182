// Not covered: IPv6, several destinations of one family, and two containers with the same port.
import Apply
import Enforcement
import EngineComparison
import Foundation
import Kernel
import Lowering
import NetpolModel
import Network
import Path
import StandingLab
import TestSupport
import Testing
import Verdicts

/// A Service of type LoadBalancer with svclb pods on two nodes, as its DaemonSet is in a dump.
private struct Balanced {
  var isLocal = false
  /// Nodes with a ready endpoint.
  var backends = [1]
  /// Addresses in its status.
  var listed: [String] = []
  var sourceRanges: [String] = []
  /// `nil`: those of the Service, or every source.
  var podRanges: [String]?
  var hasBalancers = true
  var policies = ""

  func cluster() throws -> Cluster {
    let text = """
      apiVersion: netpol-lab/v1alpha1
      kind: Cluster
      nodes:
      - {name: node1, addresses: [192.168.20.11, 203.0.113.11], podCIDRs: [10.42.0.0/24]}
      - {name: node2, addresses: [192.168.20.12], podCIDRs: [10.42.1.0/24]}
      externalHosts: [{name: lan, addresses: [192.168.20.50]}, {name: wan, addresses: [203.0.113.50]}]
      ---
      apiVersion: v1
      kind: Service
      metadata: {namespace: app, name: web}
      spec:
        type: LoadBalancer
        clusterIP: 10.43.0.80
        externalTrafficPolicy: \(isLocal ? "Local" : "Cluster")
        selector: {app: web}
        ports: [{port: 80, targetPort: 8000, nodePort: 30080}]
        loadBalancerSourceRanges: [\(sourceRanges.joined(separator: ", "))]
      status: {loadBalancer: {ingress: [\(listed.map { "{ip: \($0)}" }.joined(separator: ", "))]}}
      ---

      """
    let pods = [1, 2].map { node in
      podText(
        "app/be\(node)", on: "node\(node)", labels: backends.contains(node) ? "app: web" : "app: idle",
        status: "podIP: 10.42.\(node - 1).5, hostIP: 192.168.20.1\(node), phase: Running")
    }
    let client = podText(
      "app/cli", on: "node1", labels: "app: cli", status: "podIP: 10.42.0.6, hostIP: 192.168.20.11, phase: Running")
    let balancers = hasBalancers ? [1, 2].map(balancer) : []
    return try readWorld(text + pods.joined() + client + balancers.joined() + policies)
  }

  private func balancer(_ node: Int) -> String {
    let ranges = (podRanges ?? (sourceRanges.isEmpty ? ["0.0.0.0/0"] : sourceRanges)).joined(separator: ",")
    let destination =
      isLocal
      ? "{name: DEST_PORT, value: \"30080\"}, {name: DEST_IPS, valueFrom: {fieldRef: {fieldPath: status.hostIPs}}}"
      : "{name: DEST_PORT, value: \"80\"}, {name: DEST_IPS, value: 10.43.0.80}"
    return """
      apiVersion: v1
      kind: Pod
      metadata:
        namespace: kube-system
        name: svclb-web-1a2b3c4d-node\(node)
        labels: {app: svclb-web-1a2b3c4d, svccontroller.k3s.cattle.io/svcname: web, svccontroller.k3s.cattle.io/svcnamespace: app}
      spec:
        nodeName: node\(node)
        containers:
        - name: lb-tcp-80
          image: rancher/klipper-lb:v0.4.13
          ports: [{name: lb-tcp-80, containerPort: 80, hostPort: 80}]
          env:
          - {name: SRC_PORT, value: "80"}
          - {name: SRC_RANGES, value: "\(ranges)"}
          - {name: DEST_PROTO, value: TCP}
          - \(destination.replacingOccurrences(of: "}, {", with: "}\n    - {"))
      status: {podIP: 10.42.\(node - 1).9, hostIP: 192.168.20.1\(node), phase: Running}
      ---

      """
  }
}

/// A line of packets.txt: who saw which sender, and what the hooks of table filter saw.
private struct Recorded: Sendable {
  let name: String
  /// `be1 saw 10.42.0.9`, `silent` or `refused`.
  let outcome: String
  /// `node1 forward 192.168.20.50 -> 10.42.0.9:80`.
  let hooks: Set<String>

  /// The lines of a section, by its heading's first words.
  static func section(_ heading: String) throws -> [Recorded] {
    let file = repository.appendingPathComponent("Tests/Fixtures/services/portmap/packets.txt")
    let lines = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n")
    let start = try #require(lines.firstIndex { $0.hasPrefix("## \(heading):") })
    return lines[(start + 1)...].prefix { !$0.hasPrefix("#") && $0.contains("|") }.map(Recorded.init)
  }

  private init(_ line: String) {
    let halves = line.components(separatedBy: "|")
    let name = String(halves[0].prefix(46)).trimmingCharacters(in: .whitespaces)
    self.name = name
    outcome = String(halves[0].dropFirst(46)).trimmingCharacters(in: .whitespaces)
    hooks = Set(
      halves[1].components(separatedBy: ";").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        .filter { !name.contains("(node2)") || !$0.hasPrefix("n2") }
        .map { hook in
          let words = hook.split(separator: " ")
          return "node\(words[0].dropFirst()) \(words[1].lowercased()) "
            + words[2].replacingOccurrences(of: ">", with: " -> ").replacingOccurrences(
              of: name.contains("(node2)") ? "192.168.20.12" : "no address", with: "203.0.113.50")
        })
  }

  func flow() throws -> Flow { try Self.flow(name) }

  static func flow(_ name: String) throws -> Flow {
    let lan = Endpoint.external("lan")
    let (from, source, target): (Endpoint, String, String) =
      switch name {
      case "ext -> node1 LAN", "ext -> node1", "ext (listed)", "ext", "listed source -> node1":
        (lan, "192.168.20.50", "192.168.20.11")
      case "ext -> node2 LAN": (lan, "192.168.20.50", "192.168.20.12")
      case "ext -> node1 address not in status": (.external("wan"), "203.0.113.50", "203.0.113.11")
      // It reaches the address that svclb has the port at as well.
      case "ext from 203.0.113.50": (.external("wan"), "203.0.113.50", "192.168.20.11")
      case "node1 -> node1 LAN", "node1 -> LAN", "node1 -> its LAN address":
        (.node("node1"), "192.168.20.11", "192.168.20.11")
      case "node1 -> 127.0.0.1": (.node("node1"), "127.0.0.1", "127.0.0.1")
      case "node1 -> node2": (.node("node1"), "192.168.20.11", "192.168.20.12")
      case "node2": (.node("node2"), "192.168.20.12", "192.168.20.11")
      // The recorded node2 had no kube-proxy, which would stop the packet there: it is like any host outside.
      case "unlisted (node2) -> node1": (.external("wan"), "203.0.113.50", "192.168.20.11")
      case "pod on node1 -> node1", "pod on node1": (.pod(PodID("app", "cli")), "10.42.0.6", "192.168.20.11")
      case "pod on node1 -> node2": (.pod(PodID("app", "cli")), "10.42.0.6", "192.168.20.12")
      case "backend 1 -> node1": (.pod(PodID("app", "be1")), "10.42.0.5", "192.168.20.11")
      default: throw Unknown(name: name)
      }
    let address = try #require(IPAddress(target))
    let node: Endpoint = address.isLoopback ? from : .node(target.hasSuffix("12") ? "node2" : "node1")
    return Flow(from: from, try #require(IPAddress(source)), to: node, address, .tcp, 80)
  }

  struct Unknown: Error { let name: String }
}

@Suite("servicelb with real packets", .serialized, .needsNamespaces) struct ServiceLBPacketTests {
  private struct Answer: Sendable {
    let comparison: Comparison
    /// The sender that each backend saw.
    let seen: [String]
  }

  private func ask(_ flows: [Flow], in cluster: Cluster) async throws -> [Answer] {
    try await blocking {
      let lab = try LoadedFabric(cluster)
      let (plan, worker, fabric, backends) = (lab.plan, lab.worker, lab.fabric, lab.backends)
      let engine = KernelEngine(fabric)
      var conversation = try KernelEngine.Conversation(worker: worker)
      let entries = {
        try ["node1", "node2"].flatMap { node in
          let namespace = try #require(fabric.namespace(ofNode: node))
          return try worker.run(in: namespace) { try ConntrackEntry.list(in: NetlinkSocket(.netfilter)) }
            // The backend's own node sees it last.
            .filter {
              $0.reply.source == (node == "node1" ? [10, 42, 0, 5] : [10, 42, 1, 5]) && $0.reply.sourcePort == 8000
            }
            .map {
              "be\(node.suffix(1)) saw \($0.reply.destination.map(String.init).joined(separator: ".")) \($0.original)"
            }
        }
      }
      return try flows.map { flow in
        let before = Set(try entries())
        let observation = try engine.observe([flow], in: &conversation, backends: backends.endpoints)[0]
        let seen = Set(try entries()).subtracting(before).map {
          $0.split(separator: " ").prefix(3).joined(separator: " ")
        }
        return Answer(comparison: plan.comparer.compare(flow, observation), seen: Array(Set(seen)))
      }
    }
  }

  private static func sections() -> [(heading: String, world: Balanced)] {
    let both = ["192.168.20.11", "192.168.20.12"]
    return [
      ("A", Balanced()),
      ("A2", Balanced(backends: [2])),
      ("B", Balanced(listed: both)),
      ("B2", Balanced(backends: [2], listed: both)),
      ("C", Balanced(isLocal: true)),
      ("D", Balanced(isLocal: true, listed: ["192.168.20.11"])),
      ("E", Balanced(podRanges: ["192.168.20.50/32"])),
      ("E2", Balanced(podRanges: ["10.42.0.1/32"])),
      ("G", Balanced(listed: ["192.168.20.11"], sourceRanges: ["192.168.20.50/32"])),
      ("G2", Balanced(listed: ["192.168.20.11"], sourceRanges: ["192.168.20.50/32"], podRanges: ["0.0.0.0/0"])),
      ("G3", Balanced(listed: ["192.168.20.11"], sourceRanges: ["192.168.20.50/32"], hasBalancers: false)),
      ("H", Balanced(isLocal: true, backends: [2], listed: ["192.168.20.11"])),
    ]
  }

  @Test(
    "every recorded way is judged on the recorded addresses, and the backend sees the recorded sender",
    arguments: sections().map(\.heading))
  func ways(heading: String) async throws {
    let world = try #require(Self.sections().first { $0.heading == heading }).world
    let recorded = try Recorded.section(heading)
    let cluster = try world.cluster()
    let flows = try recorded.map { try $0.flow() }
    #expect(!recorded.isEmpty)
    for (row, answer) in zip(recorded, try await ask(flows, in: cluster)) {
      let passes = row.outcome.contains("saw")
      let comparison = answer.comparison
      #expect(
        comparison.finding == .agreement && comparison.observed == (passes ? .allow : .deny),
        "\(heading) \(row.name): \(comparison.finding) \(String(describing: comparison.observation))")
      let hooks = comparison.journey.steps.filter { $0.event == .passed }
        .map {
          "\($0.position.node) \($0.position.hook.rawValue) \($0.source) -> \($0.destination):\($0.port)"
        }
      #expect(Set(hooks) == row.hooks, "\(heading) \(row.name)")
      #expect(answer.seen == (passes ? [row.outcome] : []), "\(heading) \(row.name)")
    }
  }

  /// A section F policy, with who still gets through: `lan -> node1`, `node1 -> 127.0.0.1`, `node1 -> LAN`,
  /// `cli -> node1`.
  private struct Policed: Sendable, CustomTestStringConvertible {
    let name: String
    var policies: [String] = []
    let passes: [Bool]
    var listed: [String] = []
    var testDescription: String { name }
  }

  private static let svclb = "podSelector: {matchLabels: {app: svclb-web-1a2b3c4d}}"
  private static func backend(_ from: String) -> String {
    policyText("app/backend", "podSelector: {matchLabels: {app: web}}\npolicyTypes: [Ingress]\ningress: [\(from)]")
  }
  private static func ingress(_ from: String) -> String {
    policyText("kube-system/in", "\(svclb)\npolicyTypes: [Ingress]\ningress: [\(from)]")
  }
  private static func egress(_ to: String) -> String {
    policyText("kube-system/out", "\(svclb)\npolicyTypes: [Egress]\negress: [\(to)]")
  }
  private static let fromLan = "{from: [{ipBlock: {cidr: 192.168.20.50/32}}]}"
  private static let fromBalancer =
    "{from: [{namespaceSelector: {}, podSelector: {matchLabels: {svccontroller.k3s.cattle.io/svcname: web}}}]}"
  private static let toBackend =
    "{to: [{namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}], ports: [{port: 8000}]}"

  private static let policed = [
    Policed(name: "no policy", passes: [true, true, true, true]),
    Policed(
      name: "the backend admits the client alone", policies: [backend(fromLan)], passes: [false, false, false, false]),
    Policed(
      name: "the backend admits the svclb pods alone", policies: [backend(fromBalancer)],
      passes: [true, true, true, true]),
    Policed(
      name: "the backend admits the cluster's pods",
      policies: [backend("{from: [{ipBlock: {cidr: 10.42.0.0/16}}]}")], passes: [true, true, true, true]),
    Policed(name: "svclb: no ingress", policies: [ingress("")], passes: [false, true, true, false]),
    Policed(name: "svclb: ingress from the client", policies: [ingress(fromLan)], passes: [true, true, true, false]),
    Policed(name: "svclb: no egress", policies: [egress("")], passes: [false, false, false, false]),
    Policed(
      name: "svclb: egress to the ClusterIP",
      policies: [egress("{to: [{ipBlock: {cidr: 10.43.0.80/32}}], ports: [{port: 80}]}")],
      passes: [false, false, false, false]),
    Policed(name: "svclb: egress to the backend", policies: [egress(toBackend)], passes: [true, true, true, true]),
    Policed(
      name: "both", policies: [ingress(fromLan), egress(toBackend), backend(fromBalancer)],
      passes: [true, true, true, false]),
    Policed(
      name: "a listed address, the backend admits the svclb pods alone", policies: [backend(fromBalancer)],
      passes: [false], listed: ["192.168.20.11"]),
    Policed(
      name: "a listed address, svclb: nothing", policies: [ingress(""), egress("")], passes: [true],
      listed: ["192.168.20.11"]),
  ]

  @Test("policies on svclb pods and on backends decide as recorded, each on one of the two ways", arguments: policed)
  private func policies(_ row: Policed) async throws {
    let names = ["ext -> node1 LAN", "node1 -> 127.0.0.1", "node1 -> node1 LAN", "pod on node1 -> node1"]
    let flows = try names.prefix(row.passes.count).map { try Recorded.flow($0) }
    let cluster = try Balanced(listed: row.listed, policies: row.policies.joined()).cluster()
    let answers = try await ask(flows, in: cluster)
    #expect(answers.map { $0.comparison.observed == .allow } == row.passes)
    #expect(answers.allSatisfy { $0.comparison.finding == .agreement })
  }

  @Test("svclb pods that send to each other's nodes send a packet around until its hops are used up")
  func loop() async throws {
    var cluster = try Balanced().cluster()
    let port = TransportPort(.tcp, 80)
    for index in cluster.pods.indices where cluster.pods[index].isServiceLB {
      let other = try #require(cluster.nodes.first { $0.name != cluster.pods[index].node }?.address(.v4))
      cluster.pods[index].forwards = [
        PodForward(port, from: [CIDR(IPAddress(v4: 0), prefixLength: 0)], to: [other], port: 80)
      ]
    }
    let names = ["ext -> node1 LAN", "pod on node1 -> node2", "backend 1 -> node1"]
    for answer in try await ask(try names.map { try Recorded.flow($0) }, in: cluster) {
      let comparison = answer.comparison
      guard case .noRoute = comparison.finding else {
        Issue.record("\(comparison.finding)")
        continue
      }
      #expect(comparison.observed != .allow && comparison.specified?.verdict == .deny)
      let loops = comparison.specified?.because.filter { if case .forwardingLoop = $0 { true } else { false } }
      #expect(loops?.count == 1)
    }
  }

  @Test("each endpoint of a Service is asked about through its svclb pods too")
  func choices() async throws {
    let cluster = try Balanced(backends: [1, 2], policies: Self.backend("")).cluster()
    var open = cluster
    open.policies = []
    let topology = Topology(cluster)
    let backends = Backends(cluster, topology)
    for name in ["ext -> node1 LAN", "ext -> node2 LAN", "pod on node1 -> node2", "node1 -> 127.0.0.1"] {
      let flows = backends.choices(of: try Recorded.flow(name))
      #expect(flows.compactMap { $0.chosen?.address.description } == ["10.42.0.5", "10.42.1.5"], "\(name)")
      let answers = try await ask(flows, in: open)
      #expect(answers.allSatisfy { $0.comparison.finding == .agreement && $0.comparison.observed == .allow }, "\(name)")
      #expect(answers.map { $0.seen.first?.prefix(3) } == ["be1", "be2"], "\(name)")
      let refused = try await ask(flows, in: cluster)
      #expect(refused.allSatisfy { $0.comparison.finding == .agreement && $0.comparison.observed == .deny }, "\(name)")
    }
  }
}
