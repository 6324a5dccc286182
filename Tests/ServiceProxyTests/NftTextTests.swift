// Not covered: that the kernel takes the text; ApplyTests load it.
import Dumps
import NetpolModel
import Rendering
import RuleIR
import ServiceProxy
import Testing

@Suite("Text of kube-proxy's tables in nftables mode") struct NftTextTests {
  /// A load balancer with source ranges and two endpoints, a service with policy Local whose endpoint is elsewhere, and
  /// one without endpoints.
  static func view(_ choice: ProxyView.EndpointChoice = .random, families: [IPFamily] = [.v4]) throws -> ProxyView {
    var balancer = try Fixture.service(
      "svc1", .loadBalancer, clusterIPs: ["172.30.0.41", "fd00:1e::41"], nodePort: 3001)
    balancer.loadBalancerIPs = try ["1.2.3.4", "fd00:5::4"].map { .init(try Fixture.address($0)) }
    balancer.loadBalancerSourceRanges = try ["203.0.113.0/25", "192.168.0.0/24", "fd00:c0::/64"].map(Fixture.block)
    var local = try Fixture.service("svc2", .nodePort, clusterIPs: ["172.30.0.42"], nodePort: 3002)
    local.externalTrafficPolicy = .local
    local.externalIPs = [try Fixture.address("192.168.99.11")]
    var view = try Fixture.view(
      [balancer, local, try Fixture.service("svc3", clusterIPs: ["172.30.0.43"])],
      [
        Fixture.slice([try Fixture.member("10.180.0.1", local: true), try Fixture.member("10.180.2.1")]),
        Fixture.slice([try Fixture.member("fd00:10::1")], family: .v6, id: "six"),
        Fixture.slice([try Fixture.member("10.180.2.1")], of: "svc2"),
      ], families: families, choice: choice)
    view.serviceCIDRs = try ["172.30.0.0/16", "fd00:1e::/112"].map(Fixture.block)
    view.flags.mode = .nftables(.latest)
    return view
  }

  /// The chains and sets by name, each as its lines without the first and the last.
  static func objects(_ view: ProxyView, _ release: KubeProxyRelease) throws -> [String: [String]] {
    var objects: [String: [String]] = [:]
    var name: String?
    for line in try nftText(kubeProxyNftables(view, release)).split(separator: "\n") {
      if line.hasPrefix("\t\t"), let name { objects[name, default: []].append(String(line.dropFirst(2))) }
      if line.hasPrefix("\t"), line.hasSuffix(" {") {
        name = line.dropFirst().split(separator: " ").dropFirst().first.map(String.init)
        if let name { objects[name] = [] }
      }
    }
    return objects
  }

  static let (one, two) = ("ULMVA6XW-ns1/svc1/tcp/p80", "QCIBCZ4I-ns1/svc2/tcp/p80")
  static let key = "ip daddr . meta l4proto . th dport"

  @Test("since 1.36 the tables are as kube-proxy's")
  func latest() throws {
    let objects = try Self.objects(Self.view(), .v36)
    let expected: [String: [String]] = [
      "cluster-ips": [
        "type ipv4_addr", "comment \"Active ClusterIPs\"", "elements = { 172.30.0.41, 172.30.0.42, 172.30.0.43 }",
      ],
      "nodeport-ips": [
        "type ipv4_addr", "comment \"IPs that accept NodePort traffic\"", "elements = { 192.168.0.2 }",
      ],
      "no-endpoint-services": [
        "type ipv4_addr . inet_proto . inet_service : verdict",
        "comment \"vmap to drop or reject packets to services with no endpoints\"",
        "elements = { 172.30.0.43 . tcp . 80 comment \"ns1/svc3:p80\" : goto reject-chain, "
          + "192.168.99.11 . tcp . 80 comment \"ns1/svc2:p80\" : drop }",
      ],
      "no-endpoint-nodeports": [
        "type inet_proto . inet_service : verdict",
        "comment \"vmap to drop or reject packets to service nodeports with no endpoints\"",
        "elements = { tcp . 3002 comment \"ns1/svc2:p80\" : drop }",
      ],
      "firewall-ips": [
        "type ipv4_addr . inet_proto . inet_service : verdict",
        "comment \"destinations that are subject to LoadBalancerSourceRanges\"",
        "elements = { 1.2.3.4 . tcp . 80 : goto firewall-\(Self.one) }",
      ],
      "service-ips": [
        "type ipv4_addr . inet_proto . inet_service : verdict",
        "comment \"ClusterIP, ExternalIP and LoadBalancer IP traffic\"",
        "elements = { 1.2.3.4 . tcp . 80 : goto external-\(Self.one), "
          + "172.30.0.41 . tcp . 80 : goto service-\(Self.one), 172.30.0.42 . tcp . 80 : goto service-\(Self.two), "
          + "192.168.99.11 . tcp . 80 : goto external-\(Self.two) }",
      ],
      "service-nodeports": [
        "type inet_proto . inet_service : verdict", "comment \"NodePort traffic\"",
        "elements = { tcp . 3001 : goto external-\(Self.one), tcp . 3002 : goto external-\(Self.two) }",
      ],
      "hairpin-connections": [
        "type ipv4_addr . ipv4_addr . inet_proto . inet_service", "comment \"service hairpin connections\"",
        "elements = { 10.180.0.1 . 10.180.0.1 . tcp . 80 }",
      ],
      "filter-prerouting-pre-dnat": [
        "type filter hook prerouting priority dstnat - 10; policy accept;", "ct state new jump firewall-check",
      ],
      "filter-output-pre-dnat": [
        "type filter hook output priority -110; policy accept;", "ct state new jump firewall-check",
      ],
      "filter-input": [
        "type filter hook input priority filter; policy accept;", "ct state new jump nodeport-endpoints-check",
        "ct state new jump service-endpoints-check",
      ],
      "filter-forward": [
        "type filter hook forward priority filter; policy accept;", "ct state new jump service-endpoints-check",
        "ct state new jump cluster-ips-check",
      ],
      "filter-output": [
        "type filter hook output priority filter; policy accept;", "ct state new jump service-endpoints-check",
        "ct state new jump cluster-ips-check",
      ],
      "nat-prerouting": ["type nat hook prerouting priority dstnat; policy accept;", "jump services"],
      "nat-output": ["type nat hook output priority -100; policy accept;", "jump services"],
      "nat-postrouting": ["type nat hook postrouting priority srcnat; policy accept;", "jump masquerading"],
      "services": [
        "ip daddr @cluster-ips ip saddr != 10.0.0.0/8 meta mark set meta mark | 0x00004000 "
          + "comment \"masquerade clusterIP traffic from outside cluster\"",
        "\(Self.key) vmap @service-ips",
        "ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports",
      ],
      "service-endpoints-check": ["\(Self.key) vmap @no-endpoint-services"],
      "nodeport-endpoints-check": ["ip daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports"],
      "reject-chain": ["comment \"helper for @no-endpoint-services / @no-endpoint-nodeports\"", "reject"],
      "firewall-check": ["\(Self.key) vmap @firewall-ips"],
      "cluster-ips-check": [
        "ip daddr @cluster-ips reject comment \"Reject traffic to invalid ports of ClusterIPs\"",
        "ip daddr 172.30.0.0/16 drop comment \"Drop traffic to unallocated ClusterIPs\"",
      ],
      "masquerading": [
        "meta mark & 0x00004000 != 0x00000000 meta mark set meta mark ^ 0x00004000 masquerade fully-random",
        "ct status dnat ip saddr . ip daddr . meta l4proto . th dport @hairpin-connections masquerade fully-random",
      ],
      // The node's own address is in a range, and so the load balancer's is added.
      "firewall-\(Self.one)": ["ip saddr != { 1.2.3.4, 192.168.0.0/24, 203.0.113.0/25 } drop"],
      "external-\(Self.one)": [
        "meta mark set meta mark | 0x00004000 comment \"masquerade\"", "goto service-\(Self.one)",
      ],
      "service-\(Self.one)": [
        "meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.180.0.1 . 80, 1 : 10.180.2.1 . 80 }"
      ],
      "external-\(Self.two)": [
        "ip saddr 10.0.0.0/8 goto service-\(Self.two) comment \"short-circuit pod traffic\"",
        "fib saddr type local meta mark set meta mark | 0x00004000 comment \"masquerade local traffic\"",
        "fib saddr type local goto service-\(Self.two) comment \"short-circuit local traffic\"",
      ],
      "service-\(Self.two)": ["meta l4proto tcp dnat ip to numgen random mod 1 map { 0 : 10.180.2.1 . 80 }"],
    ]
    for (name, lines) in expected { #expect(objects[name] == lines, "\(name)") }
    #expect(Set(objects.keys) == Set(expected.keys))
  }

  @Test(
    "up to 1.35 every endpoint has a chain, and marks are set in a chain",
    arguments: [KubeProxyRelease.v32, .v33, .v34])
  func old(release: KubeProxyRelease) throws {
    let objects = try Self.objects(Self.view(), release)
    let port = release <= .v33 ? " tcp dport 80" : ""
    let mark = "jump mark-for-masquerade"
    let endpoints = objects.keys.filter { $0.hasPrefix("endpoint-") && $0.contains("svc1") }.sorted {
      $0.suffix(15) < $1.suffix(15)
    }
    #expect(endpoints.count == 2)
    let expected: [String: [String]] = [
      "mark-for-masquerade": ["meta mark set meta mark | 0x00004000"],
      "services": [
        "\(Self.key) vmap @service-ips",
        "ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports",
      ],
      "masquerading": [
        "meta mark & 0x00004000 == 0x00000000 return", "meta mark set meta mark ^ 0x00004000",
        "masquerade fully-random",
      ],
      "external-\(Self.one)": [mark, "goto service-\(Self.one)"],
      "service-\(Self.one)": [
        "ip daddr 172.30.0.41\(port) ip saddr != 10.0.0.0/8 \(mark)",
        "numgen random mod 2 vmap { 0 : goto \(endpoints[0]), 1 : goto \(endpoints[1]) }",
      ],
      endpoints[0]: ["ip saddr 10.180.0.1 \(mark)", "meta l4proto tcp dnat to 10.180.0.1:80"],
    ]
    for (name, lines) in expected { #expect(objects[name] == lines, "\(name)") }
    #expect(objects["hairpin-connections"] == nil)
    let names = objects.keys.filter { $0.hasPrefix("filter-") }.sorted()
    #expect(
      names
        == (release <= .v33
          ? ["filter-forward", "filter-input", "filter-output", "filter-output-post-dnat", "filter-prerouting"]
          : [
            "filter-forward", "filter-input", "filter-output", "filter-output-pre-dnat", "filter-prerouting-pre-dnat",
          ]))
    let drops = "ip daddr 172.30.0.0/16 drop comment \"Drop traffic to unallocated ClusterIPs\""
    #expect(objects["cluster-ips-check"]?.dropFirst() == (release == .v32 ? [] : [drops]))
    if release <= .v33 {
      #expect(
        objects["filter-output"] == [
          "type filter hook output priority -110; policy accept;", "ct state new jump service-endpoints-check",
          "ct state new jump firewall-check",
        ])
    }
  }

  @Test("IPv6 has tables of its own, and without node addresses NodePorts answer at all but loopback")
  func families() throws {
    var view = try Self.view(families: [.v4, .v6])
    view.flags.nodePortAddresses = try ["0.0.0.0/0", "::/0"].map(Fixture.block)
    let rules = kubeProxyNftables(view, .v36)
    #expect(rules.tables.map(\.family) == [.v4, .v6] && Set(rules.tables.map(\.name)) == ["kube-proxy"])
    #expect(!rules.sets.contains { $0.name == "nodeport-ips" })
    let text = try nftText(rules)
    for line in [
      "fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @service-nodeports",
      "ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @no-endpoint-nodeports",
      "fib daddr type local ip6 daddr != ::1 meta l4proto . th dport vmap @service-nodeports",
      "ip6 daddr fd00:1e::/112 drop comment \"Drop traffic to unallocated ClusterIPs\"",
      "meta l4proto tcp dnat ip6 to numgen random mod 1 map { 0 : fd00:10::1 . 80 }",
    ] {
      #expect(text.contains("\t\t\(line)\n"), "\(line)")
    }
  }

  @Test("with --masquerade-all the mark at ClusterIPs has no source; without a cluster CIDR there is none")
  func marks() throws {
    var view = try Self.view()
    view.flags.masqueradeAll = true
    #expect(try Self.objects(view, .v36)["services"]?.first?.hasPrefix("ip daddr @cluster-ips meta mark set") == true)
    view.flags.masqueradeAll = false
    view.clusterCIDRs = []
    #expect(try Self.objects(view, .v36)["services"]?.count == 2)
    #expect(try Self.objects(view, .v34)["service-\(Self.one)"]?.count == 1)
  }

  @Test("a dump shows the mode, and in nftables mode the release", arguments: KubeProxyRelease.allCases)
  func dumped(release: KubeProxyRelease) throws {
    let text = try nftText(kubeProxyNftables(Self.view(), release))
    let dump = try readNftList(text, file: "dump", required: { _ in true })
    #expect(kubeProxyMode(of: dump.tables) == .nftables(release))
    let iptables = serviceProxyTables(try Self.view())
    #expect(kubeProxyMode(of: iptables) == .iptables)
    #expect(kubeProxyMode(of: iptables + dump.tables) == .nftables(release))
    #expect(kubeProxyMode(of: [Table(name: "kube-proxy", family: .v4)]) == nil)
  }

  @Test("the lab's choice asks for the code point of each endpoint but the last", arguments: KubeProxyRelease.allCases)
  func codePoints(release: KubeProxyRelease) throws {
    let lines = try #require(try Self.objects(Self.view(.byCodePoint), release)["service-\(Self.one)"]?.suffix(2))
    #expect(lines.first?.contains("ip dscp cs0 ") == true && lines.last?.contains("dscp") == false)
  }
}
