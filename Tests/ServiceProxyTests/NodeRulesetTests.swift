import Evaluator
import Lowering
import NetpolModel
import Rendering
import RuleIR
import ServiceProxy
import Testing

@Suite("Rules of a whole node") struct NodeRulesetTests {
  let node = Fixture.nodeIPs[0]

  /// A pod of this node with one policy, lowered in a style.
  private func policies(_ style: EnforcementStyle, _ policies: [NetworkPolicy] = []) throws -> Ruleset {
    let pod = Pod(
      id: PodID("ns1", "web"), node: Fixture.node, podIPs: [try Fixture.address("10.180.0.1")],
      hostIP: try Fixture.address(node))
    return style.lower(
      NodeView(
        node: Fixture.node, nodeAddresses: [try Fixture.address(node)], namespaceLabels: ["ns1": [:]], pods: [pod],
        policies: policies, families: [.v4], serviceCIDRs: [try Fixture.block("172.30.0.0/16")],
        nodePorts: PortRange(3000, 4000), versionStamp: "1")
    ).ruleset
  }

  private func flannel() throws -> [Table] {
    flannelTables(network: [try Fixture.block("10.0.0.0/8")], subnet: [try Fixture.block("10.180.0.0/24")])
  }

  private func services() throws -> [Table] {
    var service = try Fixture.service("svc1", .loadBalancer, nodePort: 3001)
    service.loadBalancerIPs = [.init(try Fixture.address("1.2.3.4"))]
    let slice = Fixture.slice([try Fixture.member("10.180.0.1", local: true)])
    return serviceProxyTables(try Fixture.view([service], [slice], families: [.v4]))
  }

  /// A chain's comments, without kube-router's tags.
  private func comments(_ ruleset: Ruleset, _ table: String, _ chain: ChainName) -> [String] {
    (ruleset.table(table, .v4)?.chain(chain)?.rules ?? []).map { rule in
      let comment = rule.comment ?? ""
      return comment.hasPrefix("kube-router netpol - ") ? "kube-router netpol" : comment
    }
  }

  private let accept = "KUBE-ROUTER rule to explicitly ACCEPT traffic that comply to network policies"

  @Test("rules are in the order of a k3s node: kube-router, kube-proxy, k3s's explicit ACCEPT, flannel")
  func order() throws {
    let rulesets = nodeRulesets(policy: try policies(.kubeRouterK3s), services: try services(), flannel: try flannel())
    let ruleset = try #require(rulesets.first)
    #expect(rulesets.count == 1 && ruleset.tables.map(\.name) == ["filter", "nat"])
    let firewall = "kubernetes load balancer firewall"
    let portals = "kubernetes service portals"
    let external = "kubernetes externally-visible service portals"
    #expect(
      comments(ruleset, "filter", "INPUT")
        == ["kube-router netpol", firewall, "kubernetes health check service ports", external, accept])
    #expect(
      comments(ruleset, "filter", "FORWARD") == [
        "kube-router netpol", firewall, "kubernetes forwarding rules", portals, external, accept, "flanneld forward",
      ])
    #expect(comments(ruleset, "filter", "OUTPUT") == ["kube-router netpol", firewall, portals, accept])
    #expect(comments(ruleset, "nat", "PREROUTING") == [portals])
    #expect(comments(ruleset, "nat", "OUTPUT") == [portals])
    #expect(comments(ruleset, "nat", "POSTROUTING") == ["kubernetes postrouting rules", "flanneld masq"])
    try ruleset.checkWellFormed()
  }

  @Test("without kube-proxy the explicit ACCEPT stays after kube-router's jump")
  func withoutServices() throws {
    let policy = try policies(.kubeRouterK3s)
    let ruleset = try #require(nodeRulesets(policy: policy, services: [], flannel: try flannel()).first)
    #expect(comments(ruleset, "filter", "FORWARD") == ["kube-router netpol", accept, "flanneld forward"])
    #expect(merged(policy: policy, host: []) == [policy])
  }

  @Test("upstream kube-router has only the jump in the built-in chains")
  func upstream() throws {
    let policy = try policies(.kubeRouterIptables)
    let ruleset = try #require(nodeRulesets(policy: policy, services: try services(), flannel: try flannel()).first)
    #expect(comments(ruleset, "filter", "FORWARD").first == "kube-router netpol")
    #expect(comments(ruleset, "filter", "FORWARD").last == "flanneld forward")
    #expect(comments(ruleset, "filter", "FORWARD").count == 6)
    #expect(ruleset.sets == policy.sets)
  }

  @Test("nftables policies stay in their own tables, and the host's rules stay in iptables")
  func nftables() throws {
    let policy = try policies(.kubeRouterNftables)
    let rulesets = nodeRulesets(policy: policy, services: try services(), flannel: try flannel())
    #expect(rulesets.map(\.backend) == [.nftables, .iptables])
    #expect(rulesets.first == policy)
    #expect(rulesets.last?.table("filter", .v4)?.chain("FORWARD")?.rules.last?.comment == "flanneld forward")
  }

  @Test("policies see packets after service translation and before masquerading")
  func judgement() throws {
    let closed = NetworkPolicy(id: PolicyID("ns1", "deny"), isolates: [.ingress])
    let block = NetworkPolicy.IPBlock(try Fixture.block("203.0.113.0/24"))
    var open = closed
    open.ingress = [.init(peers: .listed([.block(block)]))]
    let ask = { (policy: NetworkPolicy, source: String, destination: String, port: UInt16) in
      let rulesets = nodeRulesets(
        policy: try policies(.kubeRouterK3s, [policy]), services: try services(), flannel: try flannel())
      return try Node(try #require(rulesets.first)).connect(from: source, to: destination, port)
    }
    for (destination, port) in [("172.30.0.41", UInt16(80)), ("1.2.3.4", 80), (node, 3001)] {
      #expect(try ask(closed, "203.0.113.2", destination, port) == .refused)
      #expect(try ask(closed, "10.0.0.2", destination, port) == .refused)
      // The policy sees the client's own address, although it is masqueraded later.
      #expect(try ask(open, "203.0.113.2", destination, port) == .to("10.180.0.1:80", masqueraded: true))
      #expect(try ask(open, "10.0.0.2", destination, port) == .refused)
    }
  }

  @Test("an egress ipBlock with a load balancer's address allows nothing, because the policy sees the endpoint")
  func egressToLoadBalancer() throws {
    let rule = { (block: String, port: UInt16) in
      let ports = NetworkPolicy.Ports.listed([.init(.tcp, .number(port, through: nil))])
      return NetworkPolicy.Rule(peers: .listed([.block(.init(try Fixture.block(block)))]), ports: ports)
    }
    var service = try Fixture.service(
      "svc1", .loadBalancer,
      ports: [
        .init(name: "p80", port: 443, targetPort: .number(8443), transport: .tcp)
      ])
    service.loadBalancerIPs = [.init(try Fixture.address("192.168.20.200"))]
    let slice = Fixture.slice(
      [try Fixture.member("10.180.2.1")], ports: [.init(name: "p80", transport: .tcp, port: 8443)])
    let services = serviceProxyTables(try Fixture.view([service], [slice], families: [.v4]))
    let ask = { (rule: NetworkPolicy.Rule) in
      let policy = NetworkPolicy(id: PolicyID("ns1", "egress"), isolates: [.egress], egress: [rule])
      let rulesets = nodeRulesets(
        policy: try policies(.kubeRouterK3s, [policy]), services: services, flannel: try flannel())
      return try Node(try #require(rulesets.first)).connect(from: "10.180.0.1", to: "192.168.20.200", 443)
    }
    #expect(try ask(try rule("192.168.20.200/32", 443)) == .refused)
    #expect(try ask(try rule("10.180.2.0/24", 8443)) == .to("10.180.2.1:8443", masqueraded: true))
  }
}
