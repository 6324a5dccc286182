// Not covered: services, and the tables of the Kubernetes suites (ComparisonTests run those).
import NetpolModel
import Oracle
import Testing

/// A small world built in Swift: two namespaces, two nodes, one pod on the host's network.
private struct World {
  var policies: [NetworkPolicy] = []

  static let addresses: [String: IPAddress] = [
    "app/web": IPAddress(v4: 0x0a2a_000b), "app/db": IPAddress(v4: 0x0a2a_010c), "app/host": IPAddress(v4: 0xc0a8_140b),
    "other/client": IPAddress(v4: 0x0a2a_0015), "node1": IPAddress(v4: 0xc0a8_140b),
    "node2": IPAddress(v4: 0xc0a8_140c),
    "lan": IPAddress(v4: 0xc0a8_0163),
  ]

  var cluster: Cluster {
    let pod = { (name: String, labels: Labels, node: String, host: Bool, ports: [ContainerPort]) in
      let parts = name.split(separator: "/").map(String.init)
      return Pod(
        id: PodID(parts[0], parts[1]), labels: labels, node: node, hostNetwork: host,
        podIPs: [Self.addresses[name]].compactMap { $0 }, hostIP: Self.addresses[node], ports: ports)
    }
    return Cluster(
      nodes: [
        Node(name: "node1", addresses: [Self.addresses["node1"]].compactMap { $0 }),
        Node(name: "node2", addresses: [Self.addresses["node2"]].compactMap { $0 }),
      ],
      namespaces: [Namespace(name: "app", labels: ["team": "a"]), Namespace(name: "other", labels: ["team": "b"])],
      pods: [
        pod("app/db", ["app": "db"], "node2", false, [ContainerPort(name: "sql", number: 5432)]),
        pod("app/host", ["app": "web"], "node1", true, []),
        pod("app/web", ["app": "web"], "node1", false, [ContainerPort(name: "http", number: 8080)]),
        pod("other/client", ["app": "client"], "node1", false, []),
      ], policies: policies)
  }

  func judge(_ from: String, _ to: String, _ port: UInt16 = 8080, _ transport: Transport = .tcp) -> Judgement {
    let endpoint = { (name: String) -> Endpoint in
      let parts = name.split(separator: "/").map(String.init)
      return parts.count == 2 ? .pod(PodID(parts[0], parts[1])) : name == "lan" ? .external(name) : .node(name)
    }
    let address = { (name: String) in Self.addresses[name] ?? IPAddress(v4: 0) }
    return Oracle(cluster).judge(
      Flow(from: endpoint(from), address(from), to: endpoint(to), address(to), transport, port))
  }
}

private func policy(
  _ selector: Labels = [:], _ isolates: Set<Direction> = [.ingress], ingress: [NetworkPolicy.Rule] = [],
  egress: [NetworkPolicy.Rule] = []
) -> NetworkPolicy {
  NetworkPolicy(
    id: PolicyID("app", "p"), podSelector: LabelSelector(matchLabels: selector), isolates: isolates, ingress: ingress,
    egress: egress)
}

private func pods(_ labels: Labels = [:], in scope: NetworkPolicy.NamespaceScope = .own) -> NetworkPolicy.Peers {
  .listed([.pods(in: scope, matching: LabelSelector(matchLabels: labels))])
}

private func block(_ text: String, except: [String] = []) throws -> NetworkPolicy.Peers {
  .listed([.block(.init(try #require(CIDR(text)), except: try except.map { try #require(CIDR($0)) }))])
}

@Suite("The oracle follows the API reference") struct OracleTests {
  @Test("without policies everything is allowed and nothing is isolated")
  func noPolicy() {
    #expect(
      World().judge("other/client", "app/web")
        == Judgement(.allow, because: [.notIsolated(.egress), .notIsolated(.ingress)]))
  }

  @Test("a policy without rules denies only its direction, and the reason names it")
  func denyAll() {
    let world = World(policies: [policy()])
    #expect(
      world.judge("other/client", "app/web")
        == Judgement(.deny, because: [.isolated(.ingress, by: [PolicyID("app", "p")])]))
    #expect(world.judge("app/web", "other/client").verdict == .allow)
  }

  @Test("a pod's own node always reaches it, another node does not")
  func ownNode() {
    let world = World(policies: [policy()])
    #expect(world.judge("node1", "app/web") == Judgement(.allow, because: [.notIsolated(.egress), .ownNode(.ingress)]))
    #expect(world.judge("node2", "app/web").verdict == .deny)
    #expect(world.judge("app/host", "app/web").verdict == .allow, "a host-network pod sends as its node")
    #expect(world.judge("app/host", "app/db").verdict == .deny)
  }

  @Test("traffic from a pod to its own node is judged by its egress policies")
  func towardsOwnNode() {
    #expect(World(policies: [policy([:], [.egress])]).judge("app/web", "node1").verdict == .deny)
  }

  @Test("a host-network pod is not selected and doesn't match a pod peer")
  func hostNetwork() throws {
    #expect(World(policies: [policy()]).judge("other/client", "app/host").verdict == .allow)
    let peers = World(policies: [policy(["app": "db"], ingress: [.init(peers: pods(["app": "web"]))])])
    #expect(peers.judge("app/web", "app/db").verdict == .allow)
    #expect(peers.judge("app/host", "app/db").verdict == .deny)
    let node = World(policies: [policy(["app": "db"], ingress: [.init(peers: try block("192.168.20.0/24"))])])
    #expect(node.judge("app/host", "app/db").verdict == .allow, "an ipBlock that contains its node's address admits it")
  }

  @Test("a podSelector selects in the policy's own namespace, a namespaceSelector in all namespaces it matches")
  func peers() {
    let own = World(policies: [policy(ingress: [.init(peers: pods())])])
    #expect(own.judge("app/db", "app/web").verdict == .allow)
    #expect(own.judge("other/client", "app/web").verdict == .deny)
    let team = NetworkPolicy.NamespaceScope.matching(LabelSelector(matchLabels: ["team": "b"]))
    let others = World(policies: [policy(ingress: [.init(peers: pods(in: team))])])
    #expect(others.judge("other/client", "app/web").verdict == .allow)
    #expect(others.judge("app/db", "app/web").verdict == .deny)
    let both = World(policies: [policy(ingress: [.init(peers: pods(["app": "nobody"], in: team))])])
    #expect(both.judge("other/client", "app/web").verdict == .deny, "both selectors of one peer must match")
  }

  @Test("an ipBlock admits its addresses except its exceptions, for pods and outsiders, and blocks of one rule add up")
  func ipBlocks() throws {
    let world = World(policies: [policy(ingress: [.init(peers: try block("0.0.0.0/0", except: ["10.42.0.0/24"]))])])
    #expect(world.judge("lan", "app/web").verdict == .allow)
    #expect(world.judge("app/db", "app/web").verdict == .allow)
    #expect(world.judge("other/client", "app/web").verdict == .deny)
    let two = NetworkPolicy.Peers.listed(
      try block("10.0.0.0/8", except: ["10.42.0.0/24"]).list + block("10.42.0.21/32").list)
    #expect(World(policies: [policy(ingress: [.init(peers: two)])]).judge("other/client", "app/web").verdict == .allow)
  }

  @Test("a port range includes both ends, a bare transport every port, a name the destination's own number")
  func ports() {
    let cases: [(NetworkPolicy.PortRule, UInt16, Transport, Verdict)] = [
      (.init(.tcp, .number(8080, through: nil)), 8080, .tcp, .allow),
      (.init(.tcp, .number(8080, through: nil)), 8081, .tcp, .deny),
      (.init(.tcp, .number(8080, through: nil)), 8080, .udp, .deny),
      (.init(.tcp, .number(8000, through: 8080)), 8080, .tcp, .allow),
      (.init(.tcp, .number(8000, through: 8080)), 7999, .tcp, .deny), (.init(.udp, .any), 1, .udp, .allow),
      (.init(.udp, .any), 1, .tcp, .deny), (.init(.tcp, .name("http")), 8080, .tcp, .allow),
      (.init(.tcp, .name("http")), 80, .tcp, .deny), (.init(.udp, .name("http")), 8080, .udp, .deny),
      (.init(.tcp, .name("sql")), 5432, .tcp, .deny), (.init(.sctp, .number(9, through: nil)), 9, .sctp, .allow),
    ]
    for (rule, port, transport, expected) in cases {
      let world = World(policies: [policy(ingress: [.init(ports: .listed([rule]))])])
      #expect(
        world.judge("other/client", "app/web", port, transport).verdict == expected, "\(rule) \(transport)/\(port)")
    }
  }

  @Test("both ends must allow, and the reasons name the policy, rule and peer")
  func bothEnds() {
    var web = policy(
      ["app": "web"], [.egress],
      egress: [.init(ports: .listed([.init(.tcp, .number(1, through: nil))])), .init(peers: pods())])
    web.id = PolicyID("app", "web")
    let world = World(policies: [policy(["app": "db"], ingress: [.init(peers: pods(["app": "web"]))]), web])
    #expect(
      world.judge("app/web", "app/db")
        == Judgement(
          .allow,
          because: [
            .admitted(.egress, by: PolicyID("app", "web"), rule: 1, peer: 0),
            .admitted(.ingress, by: PolicyID("app", "p"), rule: 0, peer: 0),
          ]))
    #expect(world.judge("app/web", "other/client").because == [.isolated(.egress, by: [PolicyID("app", "web")])])
  }

  @Test("a pod reaches itself")
  func itself() {
    #expect(World(policies: [policy([:], [.ingress, .egress])]).judge("app/web", "app/web").because == [.sameEndpoint])
  }

  @Test("a service's address of a family without a ClusterIP leads nowhere")
  func foreignFamily() {
    let (own, foreign) = (IPAddress(v4: 0xc0a8_14c8), IPAddress(v6: 0xfd00_0020 << 96 | 0xc8))
    let id = NamespacedName("app", "web")
    let cluster = Cluster(services: [
      Service(
        id: id, kind: .loadBalancer, ports: [.init(port: 80, targetPort: .number(80), transport: .tcp)],
        clusterIPs: [IPAddress(v4: 0x0a2b_0009)], externalIPs: [foreign], loadBalancerIPs: [.init(own), .init(foreign)])
    ])
    let resolved = { (address: IPAddress) in
      Oracle(cluster).resolve(
        Flow(from: .address(address), address, to: .virtualAddress(id, address), address, .tcp, 80)
      ).intermediary
    }
    #expect(resolved(own) == .service(id) && resolved(foreign) == nil)
  }
}
