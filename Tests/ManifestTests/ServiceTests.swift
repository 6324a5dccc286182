// Not covered: whether the API server would choose the same ClusterIP. It picks a random one from the same band.
import Manifests
import NetpolModel
import Testing

@Suite struct ServiceTests {
  private func service(_ spec: String, status: String = "{}", more: String = "") throws -> Service {
    try #require(try read(serviceText(spec, status: status) + more).cluster.services.first)
  }

  @Test("reads every field that affects where packets go")
  func full() throws {
    let service = try service(
      """
      {type: LoadBalancer, clusterIP: 10.43.0.7, clusterIPs: [10.43.0.7], selector: {app: web},
        ports: [{name: http, port: 80, targetPort: web, nodePort: 30080, appProtocol: kubernetes.io/h2c},
          {name: dns, port: 53, protocol: UDP, nodePort: 30053}],
        externalIPs: [192.168.1.5], loadBalancerSourceRanges: [10.0.0.0/8], externalTrafficPolicy: Local,
        internalTrafficPolicy: Local, sessionAffinity: ClientIP, publishNotReadyAddresses: true}
      """, status: "{loadBalancer: {ingress: [{ip: 1.2.3.4}, {ip: 1.2.3.5, ipMode: Proxy}, {hostname: x}]}}")
    #expect(
      service
        == Service(
          id: NamespacedName("default", "s"), kind: .loadBalancer, selector: ["app": "web"],
          ports: [
            .init(name: "http", port: 80, targetPort: .name("web"), transport: .tcp, nodePort: 30080),
            .init(name: "dns", port: 53, targetPort: .number(53), transport: .udp, nodePort: 30053),
          ], clusterIPs: [try address("10.43.0.7")], externalIPs: [try address("192.168.1.5")],
          loadBalancerIPs: [.init(try address("1.2.3.4")), .init(try address("1.2.3.5"), isProxied: true)],
          loadBalancerSourceRanges: [try cidr("10.0.0.0/8")], externalTrafficPolicy: .local,
          internalTrafficPolicy: .local, hasClientAffinity: true, publishesNotReadyAddresses: true,
          location: SourceLocation(file: "a.yaml", line: 1)))
  }

  @Test("a Service with nothing but a port gets the API's defaults and a ClusterIP")
  func defaults() throws {
    for spec in ["{ports: [{port: 80}]}", "{clusterIP: \"\", ports: [{port: 80}]}"] {
      let service = try service(spec)
      #expect(
        service
          == Service(
            id: NamespacedName("default", "s"),
            ports: [.init(name: nil, port: 80, targetPort: .number(80), transport: .tcp)],
            clusterIPs: [try address("10.43.1.1")], location: SourceLocation(file: "a.yaml", line: 1)))
    }
  }

  @Test("targetPort defaults to the port, and protocol to TCP")
  func targets() throws {
    let service = try service(
      "{ports: [{name: a, port: 80}, {name: b, port: 81, targetPort: http, protocol: UDP}, {name: c, port: 82, targetPort: 8082}, {name: d, port: 83, targetPort: 0}]}"
    )
    #expect(
      service.ports == [
        .init(name: "a", port: 80, targetPort: .number(80), transport: .tcp),
        .init(name: "b", port: 81, targetPort: .name("http"), transport: .udp),
        .init(name: "c", port: 82, targetPort: .number(8082), transport: .tcp),
        .init(name: "d", port: 83, targetPort: .number(83), transport: .tcp),
      ])
  }

  @Test(
    "a Service has the ClusterIPs that it states, plus one for each of its other families",
    arguments: [
      ("{clusterIP: None}", []), ("{clusterIPs: [None]}", []), ("{type: ExternalName, externalName: a.b}", []),
      ("{clusterIP: 10.43.0.9}", ["10.43.0.9"]), ("{}", ["10.43.1.1"]), ("{ipFamilies: [IPv6]}", ["fd43::101"]),
      ("{ipFamilies: [IPv6, IPv4]}", ["fd43::101", "10.43.1.1"]), ("{ipFamilyPolicy: SingleStack}", ["10.43.1.1"]),
      ("{ipFamilyPolicy: PreferDualStack}", ["10.43.1.1", "fd43::101"]),
      ("{ipFamilyPolicy: RequireDualStack, clusterIP: \"fd43::9\"}", ["fd43::9", "10.43.1.1"]),
      ("{ipFamilyPolicy: PreferDualStack, clusterIPs: [10.43.0.9]}", ["10.43.0.9", "fd43::101"]),
    ])
  func families(spec: String, addresses: [String]) throws {
    let ranges =
      "apiVersion: netpol-lab/v1alpha1\nkind: Cluster\nserviceCIDRs: [10.43.0.0/16, \"fd43::/112\"]\n"
    #expect(try service(spec, more: ranges).clusterIPs.map(\.description) == addresses)
  }

  @Test("the first service CIDR decides the family")
  func firstRange() throws {
    let ranges = "apiVersion: netpol-lab/v1alpha1\nkind: Cluster\nserviceCIDRs: [\"fd43::/112\", 10.43.0.0/16]\n"
    #expect(try service("{}", more: ranges).clusterIPs.map(\.description) == ["fd43::101"])
  }

  @Test("assigns missing ClusterIPs and NodePorts by name, skips stated ones, and notes them")
  func allocation() throws {
    let reading = try read(
      serviceText(
        "{type: NodePort, ports: [{name: a, port: 1}, {name: b, port: 1, protocol: UDP}]}", metadata: "name: c")
        + serviceText("{clusterIP: 10.43.1.1}", metadata: "name: d")
        + serviceText("{type: LoadBalancer, ports: [{port: 1}]}", metadata: "name: b")
        + serviceText("{type: NodePort, ports: [{port: 1, nodePort: 30086}]}", metadata: "name: z")
        + serviceText(
          "{type: LoadBalancer, allocateLoadBalancerNodePorts: false, ports: [{port: 1}]}", metadata: "name: e")
        + serviceText("{ports: [{port: 443}]}", metadata: "name: kubernetes"))
    let services = reading.cluster.services.map { service in
      "\(service.id.name) \(service.clusterIPs) \(service.ports.map { $0.nodePort ?? 0 })"
    }
    #expect(
      services == [
        "b [10.43.1.2] [30087]", "c [10.43.1.3] [30088, 30089]", "d [10.43.1.1] [0]", "e [10.43.1.4] [0]",
        "kubernetes [10.43.0.1] [0]", "z [10.43.1.5] [30086]",
      ])
    #expect(
      Array(reading.notes.filter { $0.severity == .note }.map(\.text).suffix(2)) == [
        "ClusterIPs assumed: default/b 10.43.1.2, default/c 10.43.1.3, default/e 10.43.1.4, default/kubernetes 10.43.0.1, default/z 10.43.1.5",
        "NodePorts assumed: default/b TCP/30087, default/c TCP/30088, default/c UDP/30089",
      ])
  }

  @Test("a range is used up to its last address, then the input is rejected")
  func exhaustion() throws {
    func texts(_ count: Int) -> String {
      (0..<count).map { serviceText("{type: NodePort, ports: [{port: 1}]}", metadata: "name: s\($0)") }.joined()
    }
    let ranges = "apiVersion: netpol-lab/v1alpha1\nkind: Cluster\n"
    let addresses = ranges + "serviceCIDRs: [10.43.0.0/29]\n"
    let given = try read(texts(6), addresses).cluster.services.flatMap(\.clusterIPs)
    #expect(given.map(\.description) == (1...6).map { "10.43.0.\($0)" })
    #expect(
      refusal(texts(7), addresses)
        == "a.yaml:37: Service default/s6: no IPv4 address is left in the service CIDRs; give wider serviceCIDRs in a Cluster document"
    )
    let ports = ranges + "nodePortRange: 30000-30001\n"
    #expect(Set(try read(texts(2), ports).cluster.services.flatMap(\.ports).map(\.nodePort)) == [30000, 30001])
    #expect(
      refusal(texts(3), ports)
        == "a.yaml:13: Service default/s2: no NodePort is left in 30000-30001; give a wider nodePortRange in a Cluster document"
    )
  }

  @Test(
    "without a status, the requested load-balancer address is used, with a note",
    arguments: [
      ("name: s, annotations: {metallb.io/loadBalancerIPs: \"1.2.3.4, fd00::4\"}", ["1.2.3.4", "fd00::4"]),
      ("name: s, annotations: {metallb.universe.tf/loadBalancerIPs: 1.2.3.4}", ["1.2.3.4"]),
      ("name: s", ["1.2.3.9"]),
    ])
  func request(metadata: String, addresses: [String]) throws {
    let spec = "{type: LoadBalancer, loadBalancerIP: 1.2.3.9}"
    let reading = try read(serviceText(spec, metadata: metadata))
    #expect(
      reading.cluster.services.flatMap(\.loadBalancerIPs).map(\.address.description) == addresses)
    #expect(
      reading.texts.contains {
        $0.hasPrefix("load-balancer addresses taken from the request because there is no status:")
      })
    let served = try read(
      serviceText(spec, metadata: metadata, status: "{loadBalancer: {ingress: [{ip: 5.5.5.5}]}}"))
    #expect(served.cluster.services.flatMap(\.loadBalancerIPs).map(\.address.description) == ["5.5.5.5"])
    #expect(!served.texts.contains { $0.hasPrefix("load-balancer") })
  }

  private static let refusals = [
    (
      "{type: Nodeport}",
      "spec.type: unknown value \"Nodeport\"; write ClusterIP, NodePort, LoadBalancer or ExternalName"
    ),
    ("{ports: [{}]}", "spec.ports[0].port: is missing; give a number from 1 to 65535"),
    (
      "{ports: [{port: 1}, {name: b, port: 2}]}",
      "spec.ports[0].name: is missing; each port needs a name if there are several"
    ),
    (
      "{ports: [{name: a, port: 1}, {name: a, port: 2}]}",
      "spec.ports[1].name: \"a\" appears twice; give each port a different name"
    ),
    ("{ports: [{port: 65536}]}", "spec.ports[0].port: 65536 is not a port; give a number from 1 to 65535"),
    ("{externalIPs: [x]}", "spec.externalIPs[0]: \"x\" is not an IP address; write one such as 10.42.0.5 or fd00::5"),
    (
      "{externalIPs: [127.0.0.1]}",
      "spec.externalIPs[0]: 127.0.0.1 is a loopback address; give a unicast address that others can reach"
    ),
    ("{clusterIP: none}", "spec.clusterIP: \"none\" is not an IP address; write one such as 10.42.0.5 or fd00::5"),
    ("{ipFamilies: [IPv5]}", "spec.ipFamilies[0]: unknown value \"IPv5\"; write IPv4 or IPv6"),
    ("{sessionAffinity: IP}", "spec.sessionAffinity: unknown value \"IP\"; write None or ClientIP"),
    ("{externalTrafficPolicy: local}", "spec.externalTrafficPolicy: unknown value \"local\"; write Cluster or Local"),
    (
      "{type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0]}",
      "spec.loadBalancerSourceRanges[0]: \"10.0.0.0\" has no prefix length; write 10.0.0.0/32 for this address only"
    ),
  ]

  @Test("rejects what the model can't represent or no API server has stored, stored or not", arguments: refusals)
  func unreadable(spec: String, line: String) {
    for validation in Validation.allCases {
      #expect(refusal(serviceText(spec), validation: validation) == "a.yaml:4: Service default/s: \(line)")
    }
  }

  private static let violations = [
    (
      "{ports: [{name: A_b, port: 1}]}",
      "spec.ports[0].name: \"A_b\" is not a valid port name; use at most 63 of a-z, 0-9 and inner '-'"
    ),
    ("{ports: [{name: a, port: 1}, {name: b, port: 1}]}", "spec.ports[1].port: TCP/1 appears twice; keep one of them"),
    (
      "{ports: [{port: 1, nodePort: 30001}]}",
      "spec.ports[0].nodePort: may not be given with type ClusterIP; remove it, or write type: NodePort or LoadBalancer"
    ),
    (
      "{type: NodePort, ports: [{port: 1, nodePort: 80}]}",
      "spec.ports[0].nodePort: 80 is not in the range 30000-32767; use another number, or set nodePortRange in a Cluster document"
    ),
    (
      "{type: NodePort, ports: [{name: a, port: 1, nodePort: 30001}, {name: b, port: 2, nodePort: 30001}]}",
      "spec.ports[1].nodePort: TCP/30001 is a NodePort of Service default/s (a.yaml:1); use a number that is free"
    ),
    (
      "{clusterIP: 10.43.0.1, clusterIPs: [10.43.0.2]}",
      "spec.clusterIPs[0]: differs from clusterIP \"10.43.0.1\"; give the same address first in both"
    ),
    (
      "{clusterIPs: [10.43.0.1, 10.43.0.2]}",
      "spec.clusterIPs[1]: 10.43.0.2 is a second IPv4 address; give at most one of each family"
    ),
    (
      "{type: NodePort, clusterIP: None}",
      "spec.clusterIP: may not be None with type NodePort; remove it, or write type: ClusterIP"
    ),
    (
      "{externalTrafficPolicy: Local}",
      "spec.externalTrafficPolicy: may not be given with type ClusterIP; remove it, or write type: NodePort or LoadBalancer"
    ),
    (
      "{ipFamilies: [IPv6]}",
      "it asks for IPv6, but no service CIDR is IPv6; set serviceCIDRs of both families in a Cluster document, or ask for another family"
    ),
  ]

  @Test("rejects what the API server rejects, unless it is stored", arguments: violations)
  func invalid(spec: String, line: String) {
    #expect(refusal(serviceText(spec)) == "a.yaml:4: Service default/s: \(line)")
    #expect(refusal(serviceText(spec), validation: .asStored) == "accepted")
  }

  @Test("warns about a Service without selector and EndpointSlices")
  func nowhere() throws {
    let notes = try read(serviceText("{ports: [{port: 1}]}")).notes.filter { $0.severity == .warning }
    #expect(notes.map(\.text).contains { $0.hasPrefix("no selector and no EndpointSlice: default/s; ") })
    let selecting = try read(serviceText("{selector: {app: x}, ports: [{port: 1}]}")).notes
    #expect(!selecting.contains { $0.text.hasPrefix("no selector") })
  }

  @Test("rejects an announced address that a pod has")
  func announcedAddress() {
    let pod = """
      apiVersion: v1
      kind: Pod
      metadata: {name: p}
      spec: {nodeName: node1, containers: [{name: c}]}
      status: {phase: Running, hostIP: 192.168.20.11, podIP: 10.42.0.7, podIPs: [{ip: 10.42.0.7}]}

      """
    #expect(
      refusal(pod, serviceText("{externalIPs: [10.42.0.7], ports: [{port: 1}]}"))
        == "b.yaml:1: Service default/s: 10.42.0.7 is an address of pod default/p; give the service an address of its own"
    )
    #expect(refusal(pod, serviceText("{externalIPs: [10.42.0.8], ports: [{port: 1}]}")) == "accepted")
  }

  @Test("two Services can't share a ClusterIP or NodePort, but one number may serve two transports")
  func uniqueness() {
    func text(_ name: String, _ ip: Int, _ port: String) -> String {
      serviceText(
        "{type: NodePort, clusterIP: 10.43.0.\(ip), ports: [{port: 1, \(port)}]}", metadata: "name: \(name)")
    }
    #expect(
      refusal(text("a", 1, "nodePort: 30001"), text("b", 1, "nodePort: 30002"))
        == "b.yaml:4: Service default/b: spec.clusterIP: 10.43.0.1 is the ClusterIP of Service default/a (a.yaml:1); give the Service an address of its own"
    )
    #expect(
      refusal(text("a", 1, "nodePort: 30001"), text("b", 2, "nodePort: 30001"))
        == "b.yaml:4: Service default/b: spec.ports[0].nodePort: TCP/30001 is a NodePort of Service default/a (a.yaml:1); use a number that is free"
    )
    #expect(
      refusal(text("a", 1, "nodePort: 30001"), text("b", 2, "nodePort: 30001, protocol: UDP")) == "accepted")
  }
}
