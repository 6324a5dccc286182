import Documents
// Not covered: flannel's masquerading, and rules that drop the tunnel's own packets between nodes.
import EngineComparison
import Foundation
import Kernel
import Lowering
import NetpolModel
import Network
import Path
import Report
import Run
import Synchronization
import TestSupport
import Testing
import Verdicts

/// Two nodes with a pod each and a second pod on node1, and two outside machines, the second with networks behind it.
private func world(
  _ overlay: Overlay, families: [IPFamily] = IPFamily.allCases, behind: [String] = [], _ more: String = ""
) throws -> Cluster {
  let list = { (addresses: [String]) in
    addresses.filter { families.contains($0.contains(":") ? .v6 : .v4) }.map { "'\($0)'" }.joined(separator: ", ")
  }
  let pods = [("a", "node1"), ("a2", "node1"), ("b", "node2")].map { name, node in
    podText("app/\(name)", on: node, labels: "app: \(name)")
  }.joined()
  let nodes = [
    ("node1", ["192.168.20.11", "fd00:20::11"], ["10.42.0.0/24", "fd00:42::/64"]),
    ("node2", ["192.168.20.12", "fd00:20::12"], ["10.42.1.0/24", "fd00:42:0:1::/64"]),
  ].map { name, addresses, blocks in
    "- {name: \(name), addresses: [\(list(addresses))], podCIDRs: [\(list(blocks))]}\n"
  }.joined()
  let cluster = """
    apiVersion: netpol-lab/v1alpha1
    kind: Cluster
    overlay: \(overlay.rawValue)
    nodes:
    \(nodes)
    externalHosts:
    - {name: lan, addresses: [\(list(["192.168.1.9", "fd00:1::9"]))], routesToPods: true}
    - {name: other, addresses: [\(list(["192.168.1.10", "fd00:1::10"]))], networks: [\(list(behind))]}
    ---

    """
  return try readWorld(pods + cluster + more)
}

private let a = Endpoint.pod(PodID("app", "a"))
private let b = Endpoint.pod(PodID("app", "b"))

private final class Lab {
  private var nextPort: UInt16 = 20_000
  let worker: NamespaceWorker
  let fabric: Fabric
  var topology: Topology { fabric.topology }

  init(_ cluster: Cluster, liftICMPLimits: Bool = true) throws {
    worker = try NamespaceWorker()
    fabric = try Fabric(
      Topology(cluster), families: cluster.families, bridgeNetfilter: true, liftICMPLimits: liftICMPLimits,
      worker: worker)
  }

  func namespace(_ endpoint: Endpoint) throws -> NetworkNamespace { try #require(fabric.namespace(of: endpoint)) }

  func run(_ words: String, in endpoint: Endpoint) throws -> String {
    let command = Command(words.split(separator: " ").map(String.init))
    return try command.run(in: namespace(endpoint), on: worker).requireSuccess().text
  }

  func iptables(_ family: IPFamily, _ words: String, on node: String) throws {
    _ = try run("\(family == .v4 ? "iptables" : "ip6tables") -w \(words)", in: .node(node))
  }

  /// Number of packets that an interface has received and sent (`/proc/net/dev`); `nil` if it doesn't exist.
  func packets(_ interface: String, on node: String) throws -> [Int]? {
    let lines = try run("cat /proc/self/net/dev", in: .node(node)).split(separator: "\n")
    guard let line = lines.first(where: { $0.split(separator: " ").first == "\(interface):" }) else { return nil }
    let fields = line.split(separator: " ").dropFirst().compactMap { Int($0) }
    return [fields[1], fields[9]]
  }

  func flow(_ from: Endpoint, _ to: Endpoint, _ family: IPFamily, _ transport: Transport = .tcp) throws -> Flow {
    try #require(topology.flow(from: from, to: to, TransportPort(transport, 8080), family))
  }

  /// Which probes arrive. Lost ones are repeated, because the kernel brings links up in its own time. Each try uses a
  /// new port, because a program that another test is starting may hold the last listener for a moment.
  func arrive(_ flows: [Flow]) throws -> [Bool] {
    var seen: [Bool] = []
    for _ in 1...3 where seen.isEmpty || seen.contains(false) {
      nextPort += 1
      let asked = flows.map { flow in
        var flow = flow
        flow.question = .port(TransportPort(flow.transport ?? .tcp, nextPort))
        return flow
      }
      seen = try KernelEngine(fabric, timeout: .milliseconds(400)).observe(asked).map { $0.verdict == .allow }
    }
    return seen
  }

  /// Whether both a TCP and a UDP probe arrive. Records an issue if only one does.
  func reaches(_ from: Endpoint, _ to: Endpoint, _ family: IPFamily) throws -> Bool {
    let seen = try arrive([flow(from, to, family, .tcp), flow(from, to, family, .udp)])
    #expect(Set(seen).count == 1, "\(from) \(to) \(family): \(seen)")
    return seen == [true, true]
  }
}

private func device(_ family: IPFamily) -> String { family == .v4 ? "flannel.1" : "flannel-v6.1" }

@Suite("The overlay", .serialized, .needsNamespaces) struct OverlayTests {
  @Test("every link passes packets as soon as the lab stands, also when the kernel is busy with other labs")
  func linksAreReady() throws {
    let world = try world(.vxlan)
    let isDone = Mutex(false)
    let busy = try NamespaceWorker()
    let thread = Thread {
      while !isDone.withLock({ $0 }) {
        for _ in 0..<40 { _ = try? busy.makeNamespace() }
      }
    }
    thread.start()
    defer { isDone.withLock { $0 = true } }
    for _ in 0..<10 {
      let lab = try Lab(world)
      for node in ["node1", "node2"] {
        let namespace = try #require(lab.fabric.namespace(ofNode: node))
        try lab.worker.run(in: namespace) { try NetlinkSocket(.route).waitForVeths(atMost: 0) }
      }
    }
  }

  @Test("the tunnel carries pod traffic between nodes, in its own packets", arguments: IPFamily.allCases)
  func tunnel(family: IPFamily) throws {
    // Routes to networks that contain the pods' addresses are not mistaken for routes to the pods.
    let lab = try Lab(try world(.vxlan, behind: ["10.0.0.0/8", "fd00:42::/32"]))
    let before = try #require(try lab.packets(device(family), on: "node2"))
    #expect(try lab.reaches(a, b, family) && lab.reaches(b, a, family))
    let after = try #require(try lab.packets(device(family), on: "node2"))
    // A TCP handshake alone is three packets.
    #expect(after[0] >= before[0] + 6 && after[1] >= before[1] + 6, "\(before) \(after)")

    // No pod traffic comes plainly from the underlay …
    for node in ["node1", "node2"] { try lab.iptables(family, "-I FORWARD -i eth0 -j DROP", on: node) }
    #expect(try lab.reaches(a, b, family) && lab.reaches(b, a, family))
    // … and only the tunnel carries it.
    try lab.iptables(family, "-I INPUT -i eth0 -p udp --dport 8472 -j DROP", on: "node2")
    #expect(try !lab.reaches(a, b, family))
  }

  @Test("each family has its own tunnel: the IPv6 one runs over the nodes' IPv6 addresses")
  func families() throws {
    let lab = try Lab(try world(.vxlan))
    try lab.iptables(.v6, "-I INPUT -i eth0 -p udp --dport 8472 -j DROP", on: "node2")
    #expect(try lab.reaches(a, b, .v4) && !lab.reaches(a, b, .v6))
  }

  @Test("pods and outside machines don't use the tunnel, in either direction", arguments: IPFamily.allCases)
  func outside(family: IPFamily) throws {
    let lab = try Lab(try world(.vxlan))
    for node in ["node1", "node2"] { try lab.iptables(family, "-I INPUT -p udp --dport 8472 -j DROP", on: node) }
    #expect(try lab.reaches(.external("lan"), b, family) && lab.reaches(b, .external("lan"), family))
  }

  @Test("a node's source is its .0 address for pods of another node and the bridge's for its own, as Linux chooses")
  func sources() throws {
    let lab = try Lab(try world(.vxlan))
    for (family, tunnel, bridge, own) in [
      (IPFamily.v4, "10.42.0.0", "10.42.0.1", "192.168.20.11"), (.v6, "fd00:42::", "fd00:42::1", "fd00:20::11"),
    ] {
      let tunnelEnd = try #require(IPAddress(tunnel))
      #expect(lab.topology.owner(of: tunnelEnd) == .node("node1"))
      #expect(lab.topology.node("node1")?.localAddresses.contains(tunnelEnd) == true)
      for (to, source) in [(b, tunnel), (a, bridge), (Endpoint.node("node2"), own), (.external("lan"), own)] {
        let flow = try lab.flow(.node("node1"), to, family)
        #expect(flow.sourceAddress.description == source)
        let chosen = try lab.run("ip route get \(flow.destinationAddress)", in: .node("node1"))
        #expect(chosen.contains("src \(source) "), "\(chosen)")
      }
      // Others reach the tunnel's address, and the bridge's address behind it.
      for (from, address) in [(b, tunnel), (.node("node2"), tunnel), (.node("node2"), bridge)] as [(Endpoint, String)] {
        let to = try #require(IPAddress(address))
        let flow = try #require(
          lab.topology.flow(
            from: from, to: .node("node1"), TransportPort(.tcp, 80), family, destinationAddress: to))
        if from != b {
          #expect(flow.sourceAddress == lab.topology.node("node2")?.tunnel(family))
          #expect(try lab.run("ip route get \(to)", in: from).contains("src \(flow.sourceAddress) "))
        }
        #expect(try lab.arrive([flow]) == [true], "\(flow)")
      }
      // At the pod's node, packets have the tunnel's address as their source.
      let bits = family.bitWidth
      try lab.iptables(family, "-I FORWARD -o cni0 ! -s \(tunnel)/\(bits) -j DROP", on: "node2")
      #expect(try lab.reaches(.node("node1"), b, family) && !lab.reaches(a, b, family))
    }
  }

  @Test("host-gw has no tunnel: plain routes, the node's own address, Ethernet's MTU", arguments: IPFamily.allCases)
  func hostGateway(family: IPFamily) throws {
    let lab = try Lab(try world(.hostGateway))
    #expect(lab.topology.nodes.flatMap(\.tunnel).isEmpty)
    #expect(try lab.packets(device(family), on: "node1") == nil)
    let own = try #require(lab.topology.address(of: .node("node1"), family))
    #expect(try lab.flow(.node("node1"), b, family).sourceAddress == own)
    #expect(try lab.reaches(a, b, family) && lab.reaches(.node("node1"), b, family))
    #expect(try lab.run("ip -o link show eth0", in: b).contains("mtu 1500"))
    try lab.iptables(family, "-I FORWARD -i eth0 -j DROP", on: "node2")
    #expect(try !lab.reaches(a, b, family))
  }

  @Test("the MTU of pods and bridges leaves room for the headers", arguments: [[IPFamily.v4], [.v6], [.v4, .v6]])
  func mtu(families: [IPFamily]) throws {
    let lab = try Lab(try world(.vxlan, families: families))
    let smallest = families.contains(.v6) ? 1430 : 1450
    #expect(try lab.run("ip -o link show eth0", in: a).contains("mtu \(smallest) "))
    #expect(try lab.run("ip -o link show cni0", in: .node("node1")).contains("mtu \(smallest) "))
    #expect(try lab.run("ip -o link show veth0", in: .node("node1")).contains("mtu \(smallest) "))
    for family in families {
      let listed = try lab.run("ip -o link show \(device(family))", in: .node("node1"))
      #expect(listed.contains("mtu \(family == .v4 ? 1450 : 1430) "))
      #expect(try lab.reaches(a, b, family))
    }
  }

  @Test("a node with a pod on its .0 has no tunnel, and pods outside their node's CIDR are reached")
  func oddNodes() throws {
    let pod = { (name: String, node: String, ip: String) in
      podText("odd/\(name)", on: node, status: "phase: Running, podIP: \(ip), podIPs: [{ip: \(ip)}]")
    }
    let text =
      pod("a", "node1", "10.50.0.2") + pod("apart", "node1", "10.60.7.7") + pod("b", "node2", "10.50.1.2")
      + pod("zero", "node3", "10.50.2.0") + """
        apiVersion: netpol-lab/v1alpha1
        kind: Cluster
        nodes:
        - {name: node1, addresses: [192.168.20.11], podCIDRs: [10.50.0.0/24]}
        - {name: node2, addresses: [192.168.20.12], podCIDRs: [10.50.1.0/24]}
        - {name: node3, addresses: [192.168.20.13], podCIDRs: [10.50.2.0/24]}
        externalHosts:
        - {name: wide, addresses: [192.168.1.9], networks: [10.0.0.0/8]}

        """
    let cluster = try readWorld(text)
    let lab = try Lab(cluster)
    let texts = lab.topology.nodes.map { $0.tunnel.map(\.description) }
    #expect(texts == [["10.50.0.0"], ["10.50.1.0"], []])
    let ends = ["a", "apart", "b", "zero"].map { Endpoint.pod(PodID("odd", $0)) }
    for from in ends + [.node("node1"), .node("node2"), .node("node3")] {
      for to in ends where to != from { #expect(try lab.reaches(from, to, .v4), "\(from) \(to)") }
    }
    #expect(try lab.flow(.node("node1"), ends[3], .v4).sourceAddress.description == "192.168.20.11")
    #expect(try lab.flow(.node("node3"), ends[2], .v4).sourceAddress.description == "192.168.20.13")
    #expect(try lab.flow(.node("node2"), ends[1], .v4).sourceAddress.description == "10.50.1.0")
    #expect(try lab.run("ip route get 10.60.7.7", in: .node("node2")).contains("via 10.50.0.0 dev flannel.1"))
    #expect(try lab.run("ip route get 10.60.7.7", in: .node("node3")).contains("via 192.168.20.11 dev eth0"))
  }

  @Test(
    "the overlay decides which address an ipBlock must name to admit another node, in every style",
    arguments: EnforcementStyle.all.map(\.name))
  func policies(style: String) async throws {
    let policy = """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {namespace: app, name: nodes}
      spec:
        podSelector: {matchLabels: {app: b}}
        ingress:
        - {from: [{ipBlock: {cidr: 10.42.0.0/32}}, {ipBlock: {cidr: 'fd00:42::/128'}}], ports: [{port: 80}]}
        - {from: [{ipBlock: {cidr: 192.168.20.11/32}}, {ipBlock: {cidr: 'fd00:20::11/128'}}], ports: [{port: 81}]}
        - {from: [{podSelector: {matchLabels: {app: a}}}], ports: [{port: 82}]}
      ---

      """
    let style = try #require(EnforcementStyle.named(style))
    for overlay in Overlay.allCases {
      let cluster = try world(overlay, policy)
      let report = try await blocking { try ClusterRun(style: style).run(cluster, version: "test") }
      #expect(report.failures.isEmpty, "\(overlay): \(report.document.text())")
      let open = Set(
        report.comparisons.filter {
          $0.observed == .allow && $0.flow.source == .node("node1") && $0.flow.destination == b
        }
        .map { "\($0.flow.family) \($0.flow.question)" })
      #expect(open == (overlay == .vxlan ? ["v4 TCP/80", "v6 TCP/80"] : ["v4 TCP/81", "v6 TCP/81"]), "\(overlay)")
      #expect(report.comparisons.contains { $0.observed == .allow && $0.flow.source == a && $0.flow.port == 82 })
    }
  }

  @Test("the kernel's limits on ICMP errors are lifted, or kept on request", arguments: [true, false])
  func limits(lifted: Bool) throws {
    let untouched = try NamespaceWorker()
    let fresh = try untouched.makeNamespace()
    let lab = try Lab(try world(.vxlan), liftICMPLimits: lifted)
    for name in ["net/ipv4/icmp_ratelimit", "net/ipv6/icmp/ratelimit", "net/ipv4/icmp_msgs_per_sec"] {
      guard let kernels = try? untouched.run(in: fresh, { try Sysctl.read(name) }) else { continue }
      let ours = try lab.worker.run(in: try lab.namespace(.node("node1"))) { try Sysctl.read(name) }
      #expect((ours == kernels) == !lifted, "\(name) \(ours)")
    }
  }

  @Test("a cluster that keeps the kernel's limits on ICMP errors has the same verdicts")
  func limitsOfACluster() async throws {
    let deny = """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {namespace: app, name: deny}
      spec: {podSelector: {}}

      """
    var cluster = try world(.vxlan, families: [.v4], deny)
    cluster.settings.liftICMPLimits = false
    let limited = cluster
    let ports = (8000..<8020).map { TransportPort(.udp, $0) }
    let report = try await blocking {
      try ClusterRun(style: .kubeRouterK3s, selection: .init(source: a, destination: b, ports: ports)).run(
        limited, version: "test")
    }
    #expect(report.failures.isEmpty)
    #expect(report.comparisons.allSatisfy { $0.observed == .deny })
    // A burst of REJECTs is sent, and the rest is suppressed.
    #expect(report.comparisons.contains { if case .silent? = $0.observation { true } else { false } })
  }
}

@Suite("Tunnel addresses") struct TunnelAddressTests {
  /// The tunnel addresses of nodes with these addresses and pod CIDRs.
  private func tunnels(_ nodes: [([String], [String])], _ overlay: Overlay = .vxlan) -> [[String]] {
    var cluster = Cluster(
      nodes: nodes.enumerated().map { index, node in
        Node(
          name: "node\(index)", addresses: node.0.compactMap { IPAddress($0) },
          podCIDRs: node.1.compactMap { CIDR($0) })
      })
    cluster.settings.overlay = overlay
    return Topology(cluster).nodes.map { $0.tunnel.map(\.description) }
  }

  @Test("a tunnel address is the network address of the first pod CIDR in a family where the node has an address")
  func addresses() {
    let nodes = [
      (["192.168.20.11"], ["10.42.0.0/24", "10.43.0.0/24", "fd00:42::/64"]),
      (["192.168.20.12", "fd00:20::12"], ["fd00:42:0:1::/64"]),
      (["fd00:20::13", "192.168.20.13"], ["10.45.0.0/24", "fd00:42:0:2::/64"]),
    ]
    #expect(tunnels(nodes) == [["10.42.0.0"], ["fd00:42:0:1::"], ["10.45.0.0", "fd00:42:0:2::"]])
    #expect(tunnels(nodes, .hostGateway) == [[], [], []])
  }

  @Test("a tunnel address is never another machine's address, nor 0.0.0.0")
  func taken() {
    let nodes = [
      (["10.42.1.0"], ["10.42.0.0/24"]), (["192.168.20.12"], ["10.42.1.0/24"]), (["192.168.20.13"], ["0.0.0.0/8"]),
    ]
    #expect(tunnels(nodes) == [["10.42.0.0"], [], []])
  }
}
