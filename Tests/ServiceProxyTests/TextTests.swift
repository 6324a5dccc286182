import Foundation
import NetpolModel
import Rendering
import RuleIR
import ServiceProxy
import TestSupport
import Testing

@Suite("Text of service rules") struct TextTests {
  /// `default/registry` of a k3s 1.3x node with flannel's default networks.
  static func registry() throws -> ProxyView {
    let service = Service(
      id: NamespacedName("default", "registry"), kind: .nodePort,
      ports: [.init(port: 5000, targetPort: .number(5000), transport: .tcp, nodePort: 30500)],
      clusterIPs: [try Fixture.address("10.43.188.231")])
    let slice = EndpointSlice(
      id: NamespacedName("default", "registry-a"), service: "registry", family: .v4,
      ports: [.init(transport: .tcp, port: 5000)], members: [.init(try Fixture.address("10.42.0.10"), node: "pi")])
    return ProxyView(
      node: "pi", nodeAddresses: [try Fixture.address("192.168.1.105")], families: [.v4],
      clusterCIDRs: [try Fixture.block("10.42.0.0/16")], services: [service], endpointSlices: [slice])
  }

  @Test("a NodePort service is printed as by iptables-save on a k3s node")
  func nodePort() throws {
    let tables = try serviceProxyTables(Self.registry())
    let text = try tables.map { try iptablesRestoreText($0) }.joined()
    #expect(
      text == """
        *filter
        :INPUT ACCEPT [0:0]
        :FORWARD ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        :KUBE-EXTERNAL-SERVICES - [0:0]
        :KUBE-FORWARD - [0:0]
        :KUBE-NODEPORTS - [0:0]
        :KUBE-PROXY-FIREWALL - [0:0]
        :KUBE-SERVICES - [0:0]
        -A INPUT -m comment --comment "kubernetes load balancer firewall" -m conntrack --ctstate NEW \
        -j KUBE-PROXY-FIREWALL
        -A INPUT -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS
        -A INPUT -m comment --comment "kubernetes externally-visible service portals" -m conntrack --ctstate NEW \
        -j KUBE-EXTERNAL-SERVICES
        -A FORWARD -m comment --comment "kubernetes load balancer firewall" -m conntrack --ctstate NEW \
        -j KUBE-PROXY-FIREWALL
        -A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
        -A FORWARD -m comment --comment "kubernetes service portals" -m conntrack --ctstate NEW -j KUBE-SERVICES
        -A FORWARD -m comment --comment "kubernetes externally-visible service portals" -m conntrack --ctstate NEW \
        -j KUBE-EXTERNAL-SERVICES
        -A OUTPUT -m comment --comment "kubernetes load balancer firewall" -m conntrack --ctstate NEW \
        -j KUBE-PROXY-FIREWALL
        -A OUTPUT -m comment --comment "kubernetes service portals" -m conntrack --ctstate NEW -j KUBE-SERVICES
        -A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
        -A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT
        -A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack \
        --ctstate RELATED,ESTABLISHED -j ACCEPT
        COMMIT
        *nat
        :PREROUTING ACCEPT [0:0]
        :INPUT ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        :POSTROUTING ACCEPT [0:0]
        :KUBE-EXT-UHY5YTYXWYGJMWN5 - [0:0]
        :KUBE-MARK-MASQ - [0:0]
        :KUBE-NODEPORTS - [0:0]
        :KUBE-POSTROUTING - [0:0]
        :KUBE-SEP-47TYL3K3JWJ36POJ - [0:0]
        :KUBE-SERVICES - [0:0]
        :KUBE-SVC-UHY5YTYXWYGJMWN5 - [0:0]
        -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
        -A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
        -A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
        -A KUBE-EXT-UHY5YTYXWYGJMWN5 -m comment \
        --comment "masquerade traffic for default/registry external destinations" -j KUBE-MARK-MASQ
        -A KUBE-EXT-UHY5YTYXWYGJMWN5 -j KUBE-SVC-UHY5YTYXWYGJMWN5
        -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
        -A KUBE-NODEPORTS -p tcp -m comment --comment "default/registry" -m tcp --dport 30500 \
        -j KUBE-EXT-UHY5YTYXWYGJMWN5
        -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
        -A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
        -A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE \
        --random-fully
        -A KUBE-SEP-47TYL3K3JWJ36POJ -s 10.42.0.10/32 -m comment --comment "default/registry" -j KUBE-MARK-MASQ
        -A KUBE-SEP-47TYL3K3JWJ36POJ -p tcp -m comment --comment "default/registry" -j DNAT \
        --to-destination 10.42.0.10:5000
        -A KUBE-SERVICES -d 10.43.188.231/32 -p tcp -m comment --comment "default/registry cluster IP" -m tcp \
        --dport 5000 -j KUBE-SVC-UHY5YTYXWYGJMWN5
        -A KUBE-SERVICES -m comment \
        --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" \
        -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
        -A KUBE-SVC-UHY5YTYXWYGJMWN5 ! -s 10.42.0.0/16 -d 10.43.188.231/32 -p tcp -m comment \
        --comment "default/registry cluster IP" -m tcp --dport 5000 -j KUBE-MARK-MASQ
        -A KUBE-SVC-UHY5YTYXWYGJMWN5 -m comment --comment "default/registry -> 10.42.0.10:5000" \
        -j KUBE-SEP-47TYL3K3JWJ36POJ
        COMMIT

        """)
  }

  @Test("rules that flags change, and those for health checks, are those of kube-proxy")
  func flags() throws {
    var service = try Fixture.service("svc1", .loadBalancer, nodePort: 3001)
    service.externalTrafficPolicy = .local
    service.healthCheckNodePort = 30000
    var view = try Fixture.view([service], [Fixture.slice([Fixture.member("10.180.0.1")])])
    let lines = { (view: ProxyView) in
      try serviceProxyTables(view).map { try iptablesRestoreText($0) }.joined().split(separator: "\n").map(String.init)
    }
    let nodePorts = """
      -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain"
      """
    let check = """
      -A KUBE-NODEPORTS -p tcp -m comment --comment "ns1/svc1:p80 health check node port" -m tcp --dport 30000 -j ACCEPT
      """
    #expect(try lines(view).contains(check))
    view.flags.localhostNodePorts = false
    view.flags.masqueradeAll = true
    let anywhere = try lines(view)
    #expect(
      anywhere.contains(
        "-A KUBE-SERVICES ! -d 127.0.0.0/8 \(nodePorts) -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS"))
    #expect(
      anywhere.contains(
        """
        -A KUBE-SVC-XPGD46QRK7WJZT7O -d 172.30.0.41/32 -p tcp -m comment --comment "ns1/svc1:p80 cluster IP" -m tcp \
        --dport 80 -j KUBE-MARK-MASQ
        """))
    view.flags.nodePortAddresses = [try Fixture.block("192.168.0.0/24"), try Fixture.block("127.0.0.0/8")]
    let jumps = try lines(view).filter { $0.hasPrefix("-A KUBE-SERVICES") && $0.hasSuffix("-j KUBE-NODEPORTS") }
    #expect(
      jumps == [
        "-A KUBE-SERVICES -d 192.168.0.2/32 \(nodePorts) -j KUBE-NODEPORTS",
        "-A KUBE-SERVICES ! -d ::1/128 \(nodePorts) -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS",
      ])
    service.externalTrafficPolicy = .cluster
    view.services = [service]
    #expect(try !lines(view).contains(check))
  }

  @Test("rules for no endpoints, no local endpoints and source ranges are those of kube-proxy's tests")
  func refusals() throws {
    var none = try Fixture.service("svc6", clusterIPs: ["172.30.0.46"])
    none.externalIPs = [try Fixture.address("192.168.99.33")]
    var local = try Fixture.service("svc2", .nodePort, clusterIPs: ["172.30.0.42"], nodePort: 3001)
    local.externalTrafficPolicy = .local
    var guarded = try Fixture.service("svc1", .loadBalancer, clusterIPs: ["172.30.0.41"])
    guarded.loadBalancerIPs = [.init(try Fixture.address("1.2.3.4"))]
    guarded.loadBalancerSourceRanges = [try Fixture.block("192.168.0.0/24")]
    let slices = [
      Fixture.slice([try Fixture.member("10.180.0.1")]), Fixture.slice([try Fixture.member("10.180.0.2")], of: "svc2"),
    ]
    let tables = try serviceProxyTables(Fixture.view([none, local, guarded], slices, families: [.v4]))
    let lines = Set(try tables.map { try iptablesRestoreText($0) }.joined().split(separator: "\n").map(String.init))
    let expected = """
      -A KUBE-SERVICES -d 172.30.0.46/32 -p tcp -m comment --comment "ns1/svc6:p80 has no endpoints" -m tcp --dport 80 \
      -j REJECT --reject-with icmp-port-unreachable
      -A KUBE-EXTERNAL-SERVICES -d 192.168.99.33/32 -p tcp -m comment --comment "ns1/svc6:p80 has no endpoints" -m tcp \
      --dport 80 -j REJECT --reject-with icmp-port-unreachable
      -A KUBE-EXTERNAL-SERVICES -p tcp -m comment --comment "ns1/svc2:p80 has no local endpoints" -m addrtype \
      --dst-type LOCAL -m tcp --dport 3001 -j DROP
      -A KUBE-PROXY-FIREWALL -d 1.2.3.4/32 -p tcp -m comment \
      --comment "ns1/svc1:p80 traffic not accepted by KUBE-FW-XPGD46QRK7WJZT7O" -m tcp --dport 80 -j DROP
      -A KUBE-SERVICES -d 1.2.3.4/32 -p tcp -m comment --comment "ns1/svc1:p80 loadbalancer IP" -m tcp --dport 80 \
      -j KUBE-FW-XPGD46QRK7WJZT7O
      -A KUBE-FW-XPGD46QRK7WJZT7O -s 192.168.0.0/24 -m comment --comment "ns1/svc1:p80 loadbalancer IP" \
      -j KUBE-EXT-XPGD46QRK7WJZT7O
      -A KUBE-FW-XPGD46QRK7WJZT7O -s 1.2.3.4/32 -m comment --comment "ns1/svc1:p80 loadbalancer IP" \
      -j KUBE-EXT-XPGD46QRK7WJZT7O
      -A KUBE-FW-XPGD46QRK7WJZT7O -m comment \
      --comment "other traffic to ns1/svc1:p80 will be dropped by KUBE-PROXY-FIREWALL"
      """
    for line in expected.split(separator: "\n") { #expect(lines.contains(String(line)), "\(line)") }
  }
}

/// `iptables-restore` in its own network namespace.
private enum Restore {
  static func run(_ script: String, _ arguments: [String] = []) throws -> (status: Int32, output: String) {
    try Unshared.run(["sh", "-c", script] + arguments, withErrors: true)
  }

  static let isUsable = Unshared.canRun(["sh", "-c", "iptables-save && ip6tables-save"])
}

@Suite("Service rules in a kernel") struct RestoreTests {
  @Test(
    "iptables-restore accepts all rules, and iptables-save prints them unchanged",
    .enabled(if: Restore.isUsable, "needs iptables, and root or unprivileged user namespaces"),
    arguments: IPFamily.allCases)
  func restore(family: IPFamily) throws {
    let isV4 = family == .v4
    var service = try Fixture.service(
      "svc1", .loadBalancer, clusterIPs: [isV4 ? "172.30.0.41" : "fd00:1e::41"],
      ports: [
        .init(name: "p80", port: 80, targetPort: .number(80), transport: .tcp, nodePort: 3001),
        .init(name: "dns", port: 53, targetPort: .number(53), transport: .udp),
        .init(name: "sctp", port: 53, targetPort: .number(53), transport: .sctp, nodePort: 3002),
      ])
    service.externalTrafficPolicy = .local
    service.loadBalancerIPs = [.init(try Fixture.address(isV4 ? "1.2.3.4" : "fd00:1b::1"))]
    service.loadBalancerSourceRanges = [try Fixture.block(isV4 ? "192.168.0.0/24" : "fd00:c0::/64")]
    let members = try (isV4 ? ["10.180.0.1", "10.180.0.2", "10.180.0.3"] : ["fd00:10:180::1", "fd00:10:180::2"])
      .enumerated().map { try Fixture.member($0.element, local: $0.offset < 2) }
    let slice = Fixture.slice(
      members, family: family, ports: [Fixture.p80, .init(name: "dns", transport: .udp, port: 53)])
    let view = try Fixture.view([service], [slice], families: [family], choice: .random)
    let flannel = flannelTables(
      network: [try Fixture.block(isV4 ? "10.0.0.0/8" : "fd00:10::/32")],
      subnet: [try Fixture.block(isV4 ? "10.180.0.0/24" : "fd00:10:180::/64")])
    let node = nodeRulesets(policy: Ruleset(), services: serviceProxyTables(view), flannel: flannel)
    let text = try #require(node.first).tables.map { try iptablesRestoreText($0) }.joined()
    let program = isV4 ? "iptables" : "ip6tables"
    let script = "printf %s \"$0\" | \(program)-restore && \(program)-save"
    let (status, saved) = try Restore.run(script, [text])
    try #require(status == 0, "\(saved)")
    // Policies of built-in chains are compared. The kernel determines the order of tables and chains.
    let rules = { (text: String) in
      Dictionary(grouping: text.split(separator: "\n").filter { $0.hasPrefix("-A ") }) {
        $0.split(separator: " ").dropFirst().first
      }
    }
    #expect(rules(saved) == rules(text))
  }
}
