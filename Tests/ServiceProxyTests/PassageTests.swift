import NetpolModel
import RuleIR
import ServiceProxy
import Testing

/// Expectations follow the packet flows of kube-proxy's own tests.
@Suite("Where packets to a service go") struct PassageTests {
  let pod = "10.0.0.2"
  let node = "192.168.0.2"
  let outside = "203.0.113.2"
  let stranger = "203.0.113.130"

  @Test("a ClusterIP is translated for all sources, and masqueraded for non-pods and an endpoint that reaches itself")
  func clusterIP() throws {
    let view = try Fixture.view([Fixture.service()], [Fixture.slice([Fixture.member("10.180.0.1", local: true)])])
    let rules = try Node(view)
    for (source, masqueraded) in [(pod, false), (node, true), (outside, true), ("10.180.0.1", true)] {
      #expect(
        try rules.connect(from: source, to: "172.30.0.41", 80) == .to("10.180.0.1:80", masqueraded: masqueraded),
        "from \(source)")
    }
    #expect(try rules.connect(from: pod, to: "172.30.0.41", 81) == .to("172.30.0.41:81", masqueraded: false))
    #expect(try rules.connect(from: pod, to: "172.30.0.41", 80, .udp) == .to("172.30.0.41:80", masqueraded: false))
  }

  @Test("ports with the same number and different transports go to their own target ports")
  func transports() throws {
    let ports: [(String, UInt16, UInt16, Transport)] = [
      ("https", 443, 8443, .tcp), ("dns-sctp", 53, 53, .sctp), ("dns-tcp", 53, 5353, .tcp), ("dns", 53, 5300, .udp),
    ]
    let service = try Fixture.service(
      ports: ports.map { .init(name: $0.0, port: $0.1, targetPort: .number($0.2), transport: $0.3) })
    let slice = Fixture.slice(
      [try Fixture.member("10.180.0.1")], ports: ports.map { .init(name: $0.0, transport: $0.3, port: $0.2) })
    let rules = try Node(Fixture.view([service], [slice]))
    for (_, port, target, transport) in ports {
      #expect(
        try rules.connect(from: pod, to: "172.30.0.41", port, transport)
          == .to("10.180.0.1:\(target)", masqueraded: false))
    }
  }

  @Test("IPv6 has its own endpoints, and IPv6 NodePorts don't answer on ::1")
  func ipv6() throws {
    let service = try Fixture.service("svc1", .nodePort, clusterIPs: ["172.30.0.41", "fd00:1e::41"], nodePort: 3001)
    let slices = [
      Fixture.slice([try Fixture.member("10.180.0.1")]),
      Fixture.slice([try Fixture.member("fd00:10:180::1")], family: .v6),
    ]
    let rules = try Node(Fixture.view([service], slices))
    let target = "[fd00:10:180::1]:80"
    #expect(try rules.connect(from: "fd00:10::2", to: "fd00:1e::41", 80) == .to(target, masqueraded: false))
    #expect(try rules.connect(from: "2001:db8::2", to: "fd00:1e::41", 80) == .to(target, masqueraded: true))
    #expect(try rules.connect(from: "2001:db8::2", to: "fd00:c0::2", 3001) == .to(target, masqueraded: true))
    #expect(try rules.connect(from: "fd00:c0::2", to: "::1", 3001) == .to("[::1]:3001", masqueraded: false))
    #expect(try rules.connect(from: "127.0.0.1", to: "127.0.0.1", 3001) == .to("10.180.0.1:80", masqueraded: true))
  }

  @Test("with policy Cluster a NodePort masquerades every source, including pods")
  func nodePortCluster() throws {
    let service = try Fixture.service("svc1", .nodePort, nodePort: 3001)
    let rules = try Node(Fixture.view([service], [Fixture.slice([Fixture.member("10.180.2.1")])]))
    for source in [pod, node, outside] {
      #expect(try rules.connect(from: source, to: node, 3001) == .to("10.180.2.1:80", masqueraded: true))
    }
    // The NodePort of another node is handled by that node.
    #expect(try rules.connect(from: pod, to: "192.168.0.3", 3001) == .to("192.168.0.3:3001", masqueraded: false))
  }

  private func localService() throws -> Service {
    var service = try Fixture.service("svc1", .loadBalancer, nodePort: 3001)
    service.externalTrafficPolicy = .local
    service.externalIPs = [try Fixture.address("192.168.99.11")]
    service.loadBalancerIPs = [.init(try Fixture.address("1.2.3.4"))]
    return service
  }

  @Test(
    "with policy Local, outside sources are kept and reach local endpoints only; pods and the node reach all",
    arguments: [("192.168.99.11", UInt16(80)), ("1.2.3.4", 80), ("192.168.0.2", 3001)])
  func externalLocal(destination: String, port: UInt16) throws {
    let slice = Fixture.slice([try Fixture.member("10.180.0.1"), try Fixture.member("10.180.2.1", local: true)])
    let rules = try Node(Fixture.view([try localService()], [slice]))
    #expect(try rules.connect(from: outside, to: destination, port) == .to("10.180.2.1:80", masqueraded: false))
    #expect(try rules.connect(from: pod, to: destination, port) == .to("10.180.0.1:80", masqueraded: false))
    #expect(try rules.connect(from: node, to: destination, port) == .to("10.180.0.1:80", masqueraded: true))
    #expect(try rules.connect(from: pod, to: "172.30.0.41", 80) == .to("10.180.0.1:80", masqueraded: false))
  }

  @Test(
    "with policy Local and no local endpoint, outside packets are dropped; pods and the node reach the others",
    arguments: [("192.168.99.11", UInt16(80)), ("1.2.3.4", 80), ("192.168.0.2", 3001)])
  func externalLocalWithoutEndpoints(destination: String, port: UInt16) throws {
    let rules = try Node(Fixture.view([try localService()], [Fixture.slice([Fixture.member("10.180.0.1")])]))
    #expect(try rules.connect(from: outside, to: destination, port) == .dropped)
    #expect(try rules.connect(from: pod, to: destination, port) == .to("10.180.0.1:80", masqueraded: false))
    #expect(try rules.connect(from: node, to: destination, port) == .to("10.180.0.1:80", masqueraded: true))
  }

  @Test("without a cluster CIDR no source counts as a pod: no mark at the ClusterIP, no short cut for pods")
  func withoutClusterCIDR() throws {
    let slice = Fixture.slice([try Fixture.member("10.180.0.1"), try Fixture.member("10.180.2.1", local: true)])
    let rules = try Node(Fixture.view([try localService()], [slice], clusterCIDRs: []))
    #expect(try rules.connect(from: outside, to: "172.30.0.41", 80) == .to("10.180.0.1:80", masqueraded: false))
    #expect(try rules.connect(from: pod, to: "1.2.3.4", 80) == .to("10.180.2.1:80", masqueraded: false))
  }

  @Test("with internal policy Local the ClusterIP leads to local endpoints, and packets are dropped if there are none")
  func internalLocal() throws {
    var service = try Fixture.service("svc1", .nodePort, nodePort: 3001)
    service.internalTrafficPolicy = .local
    let local = Fixture.slice([try Fixture.member("10.180.0.1"), try Fixture.member("10.180.2.1", local: true)])
    let rules = try Node(Fixture.view([service], [local]))
    #expect(try rules.connect(from: pod, to: "172.30.0.41", 80) == .to("10.180.2.1:80", masqueraded: false))
    #expect(try rules.connect(from: node, to: "172.30.0.41", 80) == .to("10.180.2.1:80", masqueraded: true))
    #expect(try rules.connect(from: outside, to: node, 3001) == .to("10.180.0.1:80", masqueraded: true))
    let remote = try Node(Fixture.view([service], [Fixture.slice([Fixture.member("10.180.0.1")])]))
    #expect(try remote.connect(from: pod, to: "172.30.0.41", 80) == .dropped)
    #expect(try remote.connect(from: node, to: "172.30.0.41", 80) == .dropped)
    #expect(try remote.connect(from: outside, to: node, 3001) == .to("10.180.0.1:80", masqueraded: true))
  }

  @Test("the node translates a load balancer's address itself, unless the load balancer does it")
  func loadBalancer() throws {
    var service = try Fixture.service("svc1", .loadBalancer, nodePort: 3001)
    service.loadBalancerIPs = [
      .init(try Fixture.address("1.2.3.4")), .init(try Fixture.address("5.6.7.8"), isProxied: true),
    ]
    let rules = try Node(Fixture.view([service], [Fixture.slice([Fixture.member("10.180.0.1")])]))
    for source in [pod, node, outside] {
      #expect(try rules.connect(from: source, to: "1.2.3.4", 80) == .to("10.180.0.1:80", masqueraded: true))
      #expect(try rules.connect(from: source, to: "5.6.7.8", 80) == .to("5.6.7.8:80", masqueraded: false))
    }
  }

  @Test("external policy Local only counts for types with outside traffic, not for a ClusterIP service's old status")
  func leftOverStatus() throws {
    var service = try Fixture.service()
    service.externalTrafficPolicy = .local
    service.loadBalancerIPs = [.init(try Fixture.address("1.2.3.4"))]
    let rules = try Node(Fixture.view([service], [Fixture.slice([Fixture.member("10.180.0.1")])]))
    #expect(try rules.connect(from: outside, to: "1.2.3.4", 80) == .to("10.180.0.1:80", masqueraded: true))
  }

  @Test("source ranges protect a load balancer's addresses, also from pods, but not NodePorts; a node in them may pass")
  func sourceRanges() throws {
    var service = try Fixture.service("svc1", .loadBalancer, nodePort: 3001)
    service.loadBalancerIPs = [.init(try Fixture.address("1.2.3.4")), .init(try Fixture.address("5.6.7.8"))]
    service.loadBalancerSourceRanges = [try Fixture.block("192.168.0.0/24"), try Fixture.block("203.0.113.0/25")]
    let view = try Fixture.view([service], [Fixture.slice([Fixture.member("10.180.0.1")])])
    let rules = try Node(view)
    for address in ["1.2.3.4", "5.6.7.8"] {
      #expect(try rules.connect(from: outside, to: address, 80) == .to("10.180.0.1:80", masqueraded: true))
      #expect(try rules.connect(from: node, to: address, 80) == .to("10.180.0.1:80", masqueraded: true))
      #expect(try rules.connect(from: stranger, to: address, 80) == .dropped)
      #expect(try rules.connect(from: pod, to: address, 80) == .dropped)
      #expect(try rules.connect(from: stranger, to: address, 80, state: .established) != .dropped)
      // As if the address were one of the node's own.
      let own = try Node(serviceProxyTables(view), localAddresses: Fixture.nodeIPs + [address])
      #expect(try own.connect(from: address, to: address, 80) == .to("10.180.0.1:80", masqueraded: true))
    }
    #expect(try rules.connect(from: stranger, to: node, 3001) == .to("10.180.0.1:80", masqueraded: true))
  }

  @Test("new connections to a service without endpoints are rejected for every source")
  func withoutEndpoints() throws {
    var service = try Fixture.service("svc1", .loadBalancer, nodePort: 3001)
    service.externalIPs = [try Fixture.address("192.168.99.11")]
    service.loadBalancerIPs = [.init(try Fixture.address("1.2.3.4"))]
    let unready = Fixture.slice([try Fixture.member("10.180.0.1", ready: false)])
    for slices in [[], [unready]] {
      let rules = try Node(Fixture.view([service], slices))
      for source in [pod, outside] {
        for (address, port) in [("172.30.0.41", UInt16(80)), ("192.168.99.11", 80), ("1.2.3.4", 80), (node, 3001)] {
          #expect(try rules.connect(from: source, to: address, port) == .refused, "\(source) to \(address)")
        }
      }
      #expect(try rules.connect(from: node, to: "172.30.0.41", 80) == .refused)
      #expect(try rules.connect(from: pod, to: "172.30.0.41", 80, state: .established) != .refused)
    }
  }

  @Test("ready endpoints are used; if there are none, those that serve while terminating, for each policy separately")
  func terminating() throws {
    let ends = try Fixture.member("10.180.0.1", local: true, ready: false, serving: true, ends: true)
    let gone = try Fixture.member("10.180.0.2", local: true, ready: false, serving: false, ends: true)
    let ready = try Fixture.member("10.180.2.1")
    var rules = try Node(Fixture.view([try localService()], [Fixture.slice([ends, gone])]))
    #expect(try rules.connect(from: pod, to: "172.30.0.41", 80) == .to("10.180.0.1:80", masqueraded: false))
    rules = try Node(Fixture.view([try localService()], [Fixture.slice([ends, gone, ready])]))
    #expect(try rules.connect(from: pod, to: "172.30.0.41", 80) == .to("10.180.2.1:80", masqueraded: false))
    #expect(try rules.connect(from: outside, to: "1.2.3.4", 80) == .to("10.180.0.1:80", masqueraded: false))
    rules = try Node(Fixture.view([try localService()], [Fixture.slice([gone])]))
    #expect(try rules.connect(from: pod, to: "172.30.0.41", 80) == .refused)
  }

  @Test("an address listed as ready and as not ready is used, in either order, and a finding reports it")
  func sharedAddress() throws {
    for isLocal in [true, false] {
      let idle = try Fixture.member("192.168.0.9", local: isLocal, ready: false)
      let ready = try Fixture.member("192.168.0.9", local: isLocal)
      for members in [[idle, ready], [ready, idle]] {
        let view = try Fixture.view([try Fixture.service()], [Fixture.slice(members)])
        #expect(
          try Node(view).connect(from: pod, to: "172.30.0.41", 80) == .to("192.168.0.9:80", masqueraded: false))
        let findings = serviceProxyFindings(view).map(\.description)
        #expect(
          findings.count == 1 && findings[0].contains("its endpoint 192.168.0.9 is listed as ready and as not ready"))
      }
      #expect(serviceProxyFindings(try Fixture.view([try Fixture.service()], [Fixture.slice([ready, ready])])).isEmpty)
    }
  }

  @Test("headless services and ExternalName have no rules")
  func unserved() throws {
    let headless = try Fixture.service("headless", clusterIPs: [])
    let external = try Fixture.service("external", .externalName)
    let slices = [Fixture.slice([try Fixture.member("10.180.0.1")], of: "headless")]
    #expect(
      try serviceProxyTables(Fixture.view([headless, external], slices)) == serviceProxyTables(Fixture.view([], [])))
  }
}

@Suite("Which endpoint is chosen") struct EndpointChoiceTests {
  private func chain(_ choice: ProxyView.EndpointChoice) throws -> Chain {
    let slices = [
      Fixture.slice([try Fixture.member("10.180.0.2"), try Fixture.member("10.180.0.10")]),
      // The same endpoint in a second slice does not count twice.
      Fixture.slice([try Fixture.member("10.180.0.2"), try Fixture.member("10.180.1.1")], id: "b"),
    ]
    let tables = try serviceProxyTables(Fixture.view([Fixture.service()], slices, families: [.v4], choice: choice))
    #expect(tables.map(\.name) == ["filter", "nat"])
    let nat = try #require(tables.last)
    #expect(nat.chains.filter { $0.name.hasPrefix("KUBE-SEP-") }.count == 3)
    return try #require(nat.chain("KUBE-SVC-XPGD46QRK7WJZT7O"))
  }

  @Test("random choice has equal chances, in the order of texts, rounded as iptables rounds them")
  func random() throws {
    let rules = try chain(.random).rules.dropFirst()
    #expect(
      rules.map(\.comment) == [
        "ns1/svc1:p80 -> 10.180.0.10:80", "ns1/svc1:p80 -> 10.180.0.2:80", "ns1/svc1:p80 -> 10.180.1.1:80",
      ])
    #expect(rules.map(\.matches) == [[.random(share: 715_827_883)], [.random(share: 1 << 30)], []])
  }

  @Test("the lab's choice asks for the code point of each endpoint, which is its place by address; the last needs none")
  func byCodePoint() throws {
    let rules = try chain(.byCodePoint).rules.dropFirst()
    #expect(rules.map(\.comment) == (try chain(.random).rules.dropFirst().map(\.comment)))
    #expect(rules.map(\.matches) == [[.codePoint(1)], [.codePoint(0)], []])
  }
}

@Suite("Findings about services") struct FindingTests {
  @Test("findings report client affinity without effect and source ranges that leave one family open")
  func findings() throws {
    var service = try Fixture.service("svc1", .loadBalancer, clusterIPs: ["172.30.0.41", "fd00:1e::41"])
    let slices = [Fixture.slice([try Fixture.member("10.180.0.1")])]
    #expect(try serviceProxyFindings(Fixture.view([service], slices)).isEmpty)
    let plain = try serviceProxyTables(Fixture.view([service], slices))
    service.hasClientAffinity = true
    #expect(try serviceProxyTables(Fixture.view([service], slices)) == plain)
    service.loadBalancerSourceRanges = [try Fixture.block("203.0.113.0/25")]
    service.loadBalancerIPs = [.init(try Fixture.address("fd00:1b::1"))]
    let texts = try serviceProxyFindings(Fixture.view([service], slices)).map(\.description)
    #expect(texts.count == 2)
    #expect(texts.first?.contains("it has sessionAffinity ClientIP: a client stays with the endpoint") == true)
    #expect(texts.last?.contains("loadBalancerSourceRanges contain no IPv6 range") == true)
  }
}
