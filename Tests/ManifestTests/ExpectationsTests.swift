// Not covered: whether the expectations hold. These tests only check that they are read.
import Manifests
import NetpolModel
import Testing

@Suite struct ExpectationsTests {
  static let world =
    podText("a", namespace: "shop", node: "n1") + podText("b", namespace: "shop", node: "n2")
    + serviceText("{selector: {app: web}, ports: [{port: 80}]}", metadata: "name: web, namespace: shop")
    + serviceText(
      "{clusterIP: None, selector: {app: web}, ports: [{port: 80}]}", metadata: "name: bare, namespace: shop")
    + "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {replicas: 2, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c}]}}}\n---\n"
    + policyText("{}") + "\n---\n"
    + "apiVersion: netpol-lab/v1alpha1\nkind: Cluster\nexternalHosts: [{name: peer, addresses: [203.0.113.10]}]\n---\n"

  static func document(_ groups: String) -> String {
    "apiVersion: netpol-lab/v1alpha1\nkind: Expectations\ngroups: \(groups)\n"
  }
  private func groups(_ groups: String) throws -> [Expectations.Group] {
    try read(Self.document(groups), Self.world).expectations
  }
  /// The flows of a document with one group and one entry.
  private func flows(_ entry: String) throws -> [ExpectedFlow] {
    try groups("[{name: g, flows: [{\(entry)}]}]").flatMap(\.flows)
  }

  @Test("reads every field of a group and of a flow")
  func full() throws {
    let groups = try groups(
      """

      - name: daemons
        claim: A1
        says: all four pass
        without: [shop/web]
        add: [variants/x.yaml, /srv/y.yaml]
        labels:
        - namespace: shop
          set: {icn-mesh: null, tier: "1"}
        - {pod: shop/a, set: {app: web}}
        cluster: {bridgeNetfilter: false, overlay: host-gw}
        comparedWith: plain
        flows:
        - from: shop/a
          to: shop/Service/web
          port: UDP/7777
          expect: denied
          mechanism: noRoute
          document: allowed
          because: text
          family: IPv6
      - name: plain
      """)
    #expect(groups.map(\.name) == ["daemons", "plain"])
    let group = try #require(groups.first)
    #expect(group.claim == "A1" && group.says == "all four pass" && group.comparedWith == "plain")
    #expect(group.location == SourceLocation(file: "a.yaml", line: 4))
    #expect(
      group.variant
        == Expectations.Variant(
          without: [PolicyID("shop", "web")], add: ["variants/x.yaml", "/srv/y.yaml"],
          labels: [
            .init(.namespace("shop"), "icn-mesh", nil), .init(.namespace("shop"), "tier", "1"),
            .init(.pod(PodID("shop", "a")), "app", "web"),
          ], bridgeNetfilter: false, overlay: .hostGateway))
    #expect(
      group.flows == [
        ExpectedFlow(
          from: .pod(PodID("shop", "a")), to: .service(NamespacedName("shop", "web")),
          question: .port(TransportPort(.udp, 7777)), expect: .deny, mechanism: .noRoute, document: .allow,
          because: "text", family: .v6, location: SourceLocation(file: "a.yaml", line: 16))
      ])
    #expect(groups.last == Expectations.Group(name: "plain", location: SourceLocation(file: "a.yaml", line: 24)))
  }

  @Test("plain manifests have no expectations, and the groups of several documents are concatenated")
  func documents() throws {
    #expect(try read(Self.world).expectations.isEmpty)
    let reading = try read(
      Self.world + Self.document("[{name: b}, {name: a, comparedWith: c}]"), Self.document("[{name: c}]"))
    #expect(reading.expectations.map(\.name) == ["b", "a", "c"])
  }

  @Test(
    "reads a flow endpoint as on the command line",
    arguments: [
      ("shop/a", .pod(PodID("shop", "a"))), ("shop/Pod/a", .pod(PodID("shop", "a"))),
      ("shop/Deployment/web", .workload(namespace: "shop", kind: "Deployment", name: "web")),
      ("shop/deployment/web", .workload(namespace: "shop", kind: "Deployment", name: "web")),
      ("shop/Service/web", .service(NamespacedName("shop", "web"))),
      ("service/shop/web", .service(NamespacedName("shop", "web"))), ("node/n2", .node("n2")),
      ("external/peer", .external("peer")), ("10.9.9.9", .address(IPAddress(v4: 0x0a09_0909))),
      ("fd00::1", .address(IPAddress(v6: 0xfd << 120 | 1))),
    ] as [(String, ExpectedFlow.End)])
  func ends(text: String, end: ExpectedFlow.End) throws {
    #expect(try flows("from: shop/b, to: \"\(text)\", port: 80, expect: allowed").map(\.to) == [end])
  }

  @Test(
    "still reads the words of older documents",
    arguments: [
      ("expect: allow, document: deny", "expect: allowed, document: denied"),
      ("expect: deny, mechanism: reject", "expect: denied, mechanism: rejected"),
      ("expect: deny, mechanism: drop, document: allow", "expect: denied, mechanism: dropped, document: allowed"),
      ("expect: deny, mechanism: no-route", "expect: denied, mechanism: noRoute"),
    ])
  func olderWords(old: String, new: String) throws {
    let ends = "from: shop/a, to: shop/b, port: 80"
    #expect(try flows("\(ends), \(old)") == flows("\(ends), \(new)"))
  }

  @Test("node or external as the first word is the keyword, even if a namespace has that name")
  func namespacesWithOtherMeanings() throws {
    let flow = "[{name: g, flows: [{from: node/n1, to: external/peer, port: 80, expect: allowed}]}]"
    let pods = podText("n1", namespace: "node") + podText("peer", namespace: "external")
    let reading = try read(Self.document(flow), Self.world + pods)
    #expect(reading.expectations.flatMap(\.flows).map { [$0.from, $0.to] } == [[.node("n1"), .external("peer")]])
    #expect(
      refusal(Self.document(flow.replacing("node/n1", with: "node/p")), Self.world + podText("p", namespace: "node"))
        .contains("\"node/p\" matches no node"))
  }

  @Test(
    "a port is a number, a transport with a number, or ICMP",
    arguments: [
      ("80", "TCP/80"), ("\"80\"", "TCP/80"), ("TCP/80", "TCP/80"), ("udp/53", "UDP/53"), ("53/udp", "UDP/53"),
      ("SCTP/9", "SCTP/9"), ("ICMP", "ping"), ("icmp", "ping"),
    ])
  func ports(text: String, question: String) throws {
    for field in ["port: \(text)", "ports: [\(text)]", "port: [\(text)]"] {
      let questions = try flows("from: shop/a, to: shop/b, \(field), expect: allowed").map { flow in
        if case .port(let port) = flow.question { "\(port)" } else { "ping" }
      }
      #expect(questions == [question])
    }
  }

  @Test("lists expand to all combinations, except an endpoint with itself")
  func lists() throws {
    let flows = try flows(
      "from: [shop/a, shop/b], to: [shop/a, shop/b, node/n1], ports: [80, UDP/53], expect: allowed")
    #expect(flows.count == 8)
    #expect(flows.allSatisfy { $0.from != $0.to })
    #expect(try self.flows("from: shop/a, to: shop/a, port: 80, expect: allowed").count == 1)
  }

  @Test("accepts a multicast group with UDP")
  func multicast() throws {
    let flows = try flows("from: shop/a, to: shop/b, port: UDP/5353, group: 224.0.0.251, expect: denied")
    #expect(flows.map(\.group) == [try address("224.0.0.251")])
  }

  private static let refusals = [
    ("null", 3, "groups: is missing; give at least one group"),
    ("[]", 3, "groups: is empty; give at least one group"),
    ("{a: b}", 3, "groups: expected a list, found a mapping"),
    ("[{flows: []}]", 3, "groups[0].name: is missing; give the group a name"),
    ("[{name: a}, {name: a}]", 3, "groups[1].name: a second group \"a\"; give it a different name"),
    ("[{name: a, flow: []}]", 3, "groups[0].flow: unknown field; did you mean flows?"),
    (
      "[{name: a, comparedWith: b}]", 3, "groups[0].comparedWith: there is no group \"b\"; name one of \"a\""
    ),
    (
      "[{name: a, comparedWith: a}]", 3,
      "groups[0].comparedWith: the group is compared with itself; name another group"
    ),
    ("[{name: a, without: [x]}]", 3, "groups[0].without[0]: \"x\" is not a policy's name; write namespace/name"),
    (
      "[{name: a, without: [shop/x]}]", 3,
      "groups[0].without[0]: \"shop/x\" matches no NetworkPolicy; known in shop: web"
    ),
    (
      "[{name: a, add: [\"-\"]}]", 3,
      "groups[0].add[0]: \"-\" is not a file; give a path relative to this file's folder"
    ),
    (
      "[{name: a, labels: [{set: {a: b}}]}]", 3,
      "groups[0].labels[0].namespace: is missing; name a namespace, or a pod"
    ),
    (
      "[{name: a, labels: [{namespace: x, set: {a: b}}]}]", 3,
      "groups[0].labels[0].namespace: \"x\" matches no namespace; known: shop"
    ),
    (
      "[{name: a, labels: [{pod: shop/x, set: {a: b}}]}]", 3,
      "groups[0].labels[0].pod: \"shop/x\" matches no pod; known in shop: a, b, web-0, web-1"
    ),
    (
      "[{name: a, labels: [{namespace: shop, pod: shop/a, set: {a: b}}]}]", 3,
      "groups[0].labels[0].pod: can't be combined with namespace; use a separate entry for each"
    ),
    (
      "[{name: a, labels: [{namespace: shop, set: {}}]}]", 3,
      "groups[0].labels[0].set: is empty; give labels; null removes one"
    ),
    (
      "[{name: a, labels: [{namespace: shop, set: {a: true}}]}]", 3,
      "groups[0].labels[0].set.a: expected a string, found the boolean true; write \"true\" with the quotes"
    ),
    (
      "[{name: a, labels: [{namespace: shop, set: {kubernetes.io/metadata.name: b}}]}]", 3,
      "groups[0].labels[0].set.kubernetes.io/metadata.name: this label always holds the namespace's name; choose another label"
    ),
    (
      "[{name: a, flows: [{from: shop/a, to: shop/b, port: 80, endpoint: service/shop/web, expect: denied}]}]", 3,
      "groups[0].flows[0].endpoint: \"service/shop/web\" is not one endpoint; write a pod as namespace/name, or an address"
    ),
    (
      "[{name: a, flows: [{from: shop/a, to: shop/b, port: 80, endpoint: shop/x, expect: denied}]}]", 3,
      "groups[0].flows[0].endpoint: \"shop/x\" matches no pod; known in shop: a, b, web-0, web-1"
    ),
    (
      "[{name: a, flows: [{from: shop/a, to: shop/b, port: 80, endpoint: shop/b, expect: mixed}]}]", 3,
      "groups[0].flows[0].endpoint: one endpoint can't be mixed; expect allowed or denied"
    ),
    (
      "[{name: a, cluster: {overlays: vxlan}}]", 3, "groups[0].cluster.overlays: unknown field; did you mean overlay?"
    ),
    (
      "[{name: a, cluster: {overlay: ipip}}]", 3,
      "groups[0].cluster.overlay: unknown value \"ipip\"; write vxlan or host-gw"
    ),
  ]

  @Test("an endpoint is a pod or an address")
  func endpoint() throws {
    let read = try flows("from: shop/a, to: service/shop/web, port: 80, endpoint: shop/b, expect: denied")
    #expect(read.map(\.endpoint) == [.pod(PodID("shop", "b"))])
    let address = try flows("from: shop/a, to: service/shop/web, port: 80, endpoint: 10.42.1.2, expect: denied")
    #expect(address.map(\.endpoint) == [IPAddress("10.42.1.2").map { .address($0) }])
  }

  @Test("rejects invalid groups", arguments: refusals)
  func refused(groups: String, line: Int, text: String) {
    let line = groups == "null" ? 1 : line
    #expect(refusal(Self.document(groups), Self.world) == "a.yaml:\(line): Expectations: \(text)")
  }

  private static let forms = EndpointReference.forms
  private static let badFlows = [
    ("to: shop/b, port: 80, expect: allowed", "from: is missing; write \(forms)"),
    ("from: [], to: shop/b, port: 80, expect: allowed", "from: is empty; give at least one entry"),
    ("from: shop/a, to: shop, port: 80, expect: allowed", "to: \"shop\" is not a flow endpoint; write \(forms)"),
    ("from: shop/a, to: a/b/c/d, port: 80, expect: allowed", "to: \"a/b/c/d\" is not a flow endpoint; write \(forms)"),
    ("from: shop/a, to: shop/, port: 80, expect: allowed", "to: \"shop/\" is not a flow endpoint; write \(forms)"),
    (
      "from: shop/Service/web, to: shop/b, port: 80, expect: allowed",
      "from: a Service sends nothing; name the pods or the workload behind it"
    ),
    (
      "from: shop/a, to: [shop/b, shop/c], port: 80, expect: allowed",
      "to[1]: \"shop/c\" matches no pod; known in shop: a, b, web-0, web-1"
    ),
    ("from: shop/a, to: x/c, port: 80, expect: allowed", "to: \"x/c\" matches no pod; there are none in x"),
    (
      "from: shop/a, to: shop/DaemonSet/web, port: 80, expect: allowed",
      "to: \"shop/DaemonSet/web\" matches no workload with pods; known in shop: Deployment/web"
    ),
    (
      "from: shop/a, to: shop/Service/x, port: 80, expect: allowed",
      "to: \"shop/Service/x\" matches no Service; known in shop: bare, web"
    ),
    (
      "from: shop/a, to: shop/Service/bare, port: 80, expect: allowed",
      "to: \"shop/Service/bare\" is a headless Service, without an address of its own; "
        + "name one of its pods: shop/web-0, shop/web-1 (TCP/80)"
    ),
    (
      "from: shop/a, to: node/shop/a, port: 80, expect: allowed",
      "to: \"node/shop/a\" is not a flow endpoint; "
        + "write node/NAME; for an object in a namespace called node, write its address"
    ),
    ("from: node/x, to: shop/b, port: 80, expect: allowed", "from: \"node/x\" matches no node; known: n1, n2"),
    (
      "from: external/x, to: shop/b, port: 80, expect: allowed",
      "from: \"external/x\" matches no external host; known: peer"
    ),
    ("from: shop/a, to: shop/b, expect: allowed", "port: is missing; write a number, UDP/53 or ICMP"),
    (
      "from: shop/a, to: shop/b, port: 80, ports: [80], expect: allowed",
      "ports: can't be combined with port; keep one of them"
    ),
    (
      "from: shop/a, to: shop/b, port: http, expect: allowed",
      "port: \"http\" is not a port; write a number from 1 to 65535, TCP/80, UDP/53, SCTP/9 or ICMP"
    ),
    ("from: shop/a, to: shop/b, port: 0, expect: allowed", "port: 0 is not a port; give a number from 1 to 65535"),
    ("from: shop/a, to: shop/b, port: 80", "expect: is missing; write allowed, denied or mixed"),
    (
      "from: shop/a, to: shop/b, port: 80, expect: pass",
      "expect: unknown value \"pass\"; write allowed, denied or mixed"
    ),
    (
      "from: shop/a, to: shop/b, port: 80, expect: allowed, mechanism: dropped",
      "mechanism: may not be given with expect: allowed; remove it"
    ),
    (
      "from: shop/a, to: shop/b, port: 80, expect: denied, mechanism: lost",
      "mechanism: unknown value \"lost\"; write rejected, dropped or noRoute"
    ),
    (
      "from: shop/a, to: shop/b, port: 80, expect: denied, family: 6",
      "family: expected a string, found the number 6; write \"6\" with the quotes"
    ),
    (
      "from: shop/a, to: shop/b, port: UDP/1, expect: denied, group: 10.0.0.1",
      "group: 10.0.0.1 is not a multicast group; write one such as 224.0.0.251 or ff02::fb"
    ),
    (
      "from: shop/a, to: shop/b, port: UDP/1, expect: denied, group: 224.0.0.251, family: IPv6",
      "group: 224.0.0.251 is not an IPv6 address; write family: IPv4, or remove it"
    ),
    (
      "from: shop/a, to: shop/b, port: 1, expect: denied, group: 224.0.0.251",
      "group: a multicast group can only be reached over UDP; give a port such as UDP/5353"
    ),
    (
      "from: shop/a, to: shop/b, port: 80, expect: allowed, documents: deny",
      "documents: unknown field; did you mean document?"
    ),
  ]

  @Test("rejects invalid flows", arguments: badFlows)
  func refusedFlow(entry: String, text: String) {
    #expect(
      refusal(Self.document("\n- name: g\n  flows:\n  - {\(entry)}"), Self.world)
        == "a.yaml:6: Expectations: groups[0].flows[0].\(text)")
  }

  @Test("lists can't create more flows than a lab could answer")
  func tooMany() {
    let ends = "[" + Array(repeating: "10.0.0.1", count: 400).joined(separator: ", ") + "]"
    #expect(
      refusal(Self.document("[{name: g, flows: [{from: \(ends), to: \(ends), port: 80, expect: allowed}]}]"))
        == "a.yaml:3: Expectations: groups[0].flows[0]: more than 100000 flows in total; list fewer ends, or workloads instead of pods"
    )
  }

  @Test("accepts only one version of the document")
  func version() {
    #expect(
      refusal("apiVersion: netpol-lab/v1\nkind: Expectations")
        == "a.yaml:1: Expectations: apiVersion \"netpol-lab/v1\" has no kind Expectations; write apiVersion: netpol-lab/v1alpha1"
    )
  }
}
