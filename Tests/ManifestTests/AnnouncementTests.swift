// Not covered: whether a speaker runs, and communities and peers of BGP advertisements.
import Manifests
import NetpolModel
import Testing

@Suite("Who answers for a load balancer's address") struct AnnouncementTests {
  private static func nodes(_ count: Int, labels: [String: String] = [:]) -> String {
    (1...count).map { number in
      let extra = labels["node\(number)"].map { ", labels: {\($0)}" } ?? ""
      return """
        apiVersion: v1
        kind: Node
        metadata: {name: node\(number)\(extra)}
        spec: {podCIDR: 10.42.\(number).0/24}
        status: {addresses: [{type: InternalIP, address: 192.168.20.1\(number)}]}
        ---

        """
    }.joined()
  }

  /// A Service of type LoadBalancer with one pod on node2.
  private static func service(_ address: String, spec: String = "", annotations: String = "") -> String {
    """
    apiVersion: v1
    kind: Pod
    metadata: {name: web, namespace: app, labels: {app: web}}
    spec: {nodeName: node2, containers: [{name: c}]}
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: web, namespace: app, annotations: {\(annotations)}}
    spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]\(spec.isEmpty ? "" : ", \(spec)")}
    status: {loadBalancer: {ingress: [{ip: \(address)}]}}
    ---

    """
  }

  private static func document(_ fields: String) -> String {
    "apiVersion: netpol-lab/v1alpha1\nkind: Cluster\n\(fields)\n---\n"
  }

  private static let speaker = """
    apiVersion: apps/v1
    kind: DaemonSet
    metadata: {name: speaker, namespace: metallb-system}
    spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: "quay.io/metallb/speaker:v0.14.9"}]}}}
    ---

    """

  private func answer(_ texts: String...) throws -> Announcement {
    let cluster = try read(texts.joined()).cluster
    return try #require(cluster.announcements.values.first)
  }

  /// In the order of the hashes that MetalLB's own code gives.
  @Test(
    "MetalLB's layer 2 takes the node with the lowest hash of its name and the address",
    arguments: [
      ("192.168.20.200", "node2"), ("192.168.20.202", "node3"), ("192.168.20.207", "node1"),
    ])
  func hash(address: String, node: String) throws {
    let found = try answer(Self.nodes(3), Self.service(address), Self.speaker)
    #expect(found.node == node && found.basis == .rule(.metallbL2))
  }

  @Test("with traffic policy Local only nodes with an endpoint answer, and excluded ones never")
  func local() throws {
    let local = Self.service("192.168.20.207", spec: "externalTrafficPolicy: Local")
    #expect(try answer(Self.nodes(3), local, Self.speaker).node == "node2")
    let excluded = Self.nodes(3, labels: ["node1": "node.kubernetes.io/exclude-from-external-load-balancers: \"\""])
    #expect(try answer(excluded, Self.service("192.168.20.207"), Self.speaker).node == "node3")
    let onlyOther = Self.nodes(3, labels: ["node2": "node.kubernetes.io/exclude-from-external-load-balancers: \"\""])
    let nobody = try answer(onlyOther, local, Self.speaker)
    #expect(nobody.node == nil && nobody.basis == .nobody(.metallbL2, .noNode))
    let notes = try read(onlyOther + local + Self.speaker).texts
    #expect(notes.contains { $0.hasPrefix("no node answers for 192.168.20.207 of Service app/web: MetalLB, layer 2") })
  }

  @Test("MetalLB is known by its speaker, its advertisements or a Service's annotation, and BGP by its advertisement")
  func evidence() throws {
    let (nodes, service) = (Self.nodes(3), Self.service("192.168.20.207"))
    let advertisement = { (kind: String) in
      "apiVersion: metallb.io/v1beta1\nkind: \(kind)\nmetadata: {name: a, namespace: m}\n---\n"
    }
    #expect(try answer(nodes, service, advertisement("L2Advertisement")).basis == .rule(.metallbL2))
    let annotated = Self.service("192.168.20.207", annotations: "metallb.io/loadBalancerIPs: 192.168.20.207")
    #expect(try answer(nodes, annotated).basis == .rule(.metallbL2))
    let several = try answer(nodes, service, advertisement("BGPAdvertisement"))
    #expect(several.node == "node1" && several.basis == .oneOfSeveral(.metallbBGP, ["node1", "node2", "node3"]))
    let local = Self.service("192.168.20.207", spec: "externalTrafficPolicy: Local")
    #expect(try answer(nodes, local, advertisement("BGPAdvertisement")).basis == .rule(.metallbBGP))
    #expect(try answer(nodes, local, advertisement("BGPAdvertisement")).node == "node2")
    let stated = Self.document("loadBalancer: metallb-bgp")
    #expect(try answer(nodes, annotated, stated).basis == .oneOfSeveral(.metallbBGP, ["node1", "node2", "node3"]))
  }

  /// Two pools and an advertisement of each kind of limit.
  private static func metalLB(_ advertisements: String...) -> String {
    let pools = """
      apiVersion: metallb.io/v1beta1
      kind: IPAddressPool
      metadata: {name: low, namespace: m, labels: {use: inside}}
      spec: {addresses: [192.168.20.200-192.168.20.204]}
      ---
      apiVersion: metallb.io/v1beta1
      kind: IPAddressPool
      metadata: {name: high, namespace: m}
      spec: {addresses: [192.168.20.206/31]}
      ---

      """
    return pools
      + advertisements.enumerated().map { number, text in
        let halves = text.split(separator: " ", maxSplits: 1)
        return """
          apiVersion: metallb.io/v1beta1
          kind: \(halves[0])
          metadata: {name: a\(number), namespace: m}
          spec: {\(halves.dropFirst().joined())}
          ---

          """
      }.joined()
  }

  private struct Advertised: Sendable, CustomTestStringConvertible {
    let advertisements: [String]
    var address = "192.168.20.207"
    var annotations = ""
    /// Who answers, for an address that node1, node3, node2 would take in this order.
    let node: String?
    var testDescription: String { "\(advertisements) \(address)" }
  }

  private static let advertised = [
    Advertised(advertisements: ["L2Advertisement"], node: "node1"),
    Advertised(advertisements: ["L2Advertisement ipAddressPools: [high]"], node: "node1"),
    Advertised(advertisements: ["L2Advertisement ipAddressPools: [low]"], node: nil),
    Advertised(
      advertisements: ["L2Advertisement ipAddressPoolSelectors: [{matchLabels: {use: inside}}]"],
      address: "192.168.20.202", node: "node3"),
    Advertised(advertisements: ["L2Advertisement ipAddressPoolSelectors: [{matchLabels: {use: inside}}]"], node: nil),
    Advertised(advertisements: ["L2Advertisement"], address: "192.168.20.205", node: nil),
    Advertised(
      advertisements: ["L2Advertisement nodeSelectors: [{matchLabels: {rack: a}}]"], node: "node2"),
    Advertised(
      advertisements: ["L2Advertisement nodeSelectors: [{matchLabels: {rack: a}}, {matchLabels: {rack: b}}]"],
      node: "node3"),
    Advertised(
      advertisements: [
        "L2Advertisement nodeSelectors: [{matchLabels: {rack: a}}]", "L2Advertisement ipAddressPools: [low]",
      ], node: "node2"),
    Advertised(
      advertisements: ["L2Advertisement preferredNodeSelectors: [{weight: 5, preference: {matchLabels: {rack: a}}}]"],
      node: "node2"),
    Advertised(advertisements: ["L2Advertisement serviceSelectors: [{matchLabels: {app: other}}]"], node: nil),
    Advertised(advertisements: ["L2Advertisement serviceSelectors: [{matchLabels: {tier: edge}}]"], node: "node1"),
    Advertised(
      advertisements: ["L2Advertisement serviceSelectors: [{matchLabels: {tier: edge}}]"],
      annotations: "metallb.io/allow-shared-ip: key", node: nil),
    Advertised(
      advertisements: ["L2Advertisement ipAddressPools: [low]", "BGPAdvertisement ipAddressPools: [high]"],
      node: "node1"),
    Advertised(advertisements: ["BGPAdvertisement nodeSelectors: [{matchLabels: {rack: a}}]"], node: "node2"),
  ]

  @Test("advertisements say for which pools, Services and nodes they are", arguments: advertised)
  private func limits(_ row: Advertised) throws {
    let nodes = Self.nodes(3, labels: ["node2": "rack: a", "node3": "rack: b"])
    let service = Self.service(row.address, annotations: row.annotations)
      .replacing("namespace: app, annotations", with: "namespace: app, labels: {tier: edge}, annotations")
    let advertisements = row.advertisements.map { Self.metalLB($0) }
    // Each text repeats the pools, so the last ones count.
    let text = advertisements.enumerated().map { number, text in text.replacing("name: a0", with: "name: a\(number)") }
    #expect(try answer(nodes, service, text.joined()).node == row.node)
  }

  @Test("if no node answers, the warning says why")
  func absence() throws {
    let why = { (nodes: String, service: String, advertisement: String) in
      try read(nodes + service + Self.metalLB(advertisement)).texts
        .first { $0.hasPrefix("no node answers for") }?.split(separator: "layer 2: ").last.map(String.init)
    }
    let (nodes, service) = (Self.nodes(3), Self.service("192.168.20.207"))
    #expect(try why(nodes, service, "L2Advertisement") == nil)
    #expect(
      try why(nodes, service.replacing("labels: {app: web}", with: "labels: {app: other}"), "L2Advertisement")
        == "the Service has no ready endpoint")
    #expect(
      try why(nodes, Self.service("192.168.20.205"), "L2Advertisement") == "no IPAddressPool holds the address")
    #expect(
      try why(nodes, service, "L2Advertisement ipAddressPools: [low]")
        == "no L2Advertisement or BGPAdvertisement is for pool high and this Service")
    #expect(
      try why(
        nodes, Self.service("192.168.20.207", annotations: "metallb.io/allow-shared-ip: key"),
        "L2Advertisement serviceSelectors: [{matchExpressions: [{key: tier, operator: DoesNotExist}]}]")?
        .hasPrefix("several Services share the address") == true)
    #expect(
      try why(nodes, service, "L2Advertisement nodeSelectors: [{matchLabels: {rack: none}}]")?
        .hasPrefix("no node may announce it") == true)
  }

  @Test("an address that both of MetalLB's modes announce is told so")
  func bothModes() throws {
    let both = Self.metalLB("L2Advertisement", "BGPAdvertisement nodeSelectors: [{matchLabels: {rack: a}}]")
    let nodes = Self.nodes(3, labels: ["node3": "rack: a"])
    let text = "192.168.20.207 of Service app/web is announced over BGP too, by node3: "
    #expect(try read(nodes + Self.service("192.168.20.207") + both).texts.contains { $0.hasPrefix(text) })
  }

  @Test("an address that several Services share is announced if one of them is")
  func shared() throws {
    let idle = Self.service("192.168.20.207", annotations: "metallb.io/allow-shared-ip: k")
      .replacing("name: web, namespace: app, annotations", with: "name: NAME, namespace: app, annotations")
      .replacing("selector: {app: web}", with: "selector: {app: none}")
    for name in ["a", "z"] {
      let found = try answer(
        Self.nodes(3), Self.service("192.168.20.207", annotations: "metallb.io/allow-shared-ip: k"),
        idle.split(separator: "---\n").suffix(1).map { $0 + "---\n" }.joined().replacing("NAME", with: name),
        Self.speaker)
      #expect(found.node == "node1" && found.service == NamespacedName("app", "web"), "\(name)")
    }
  }

  @Test("a class names the program, whatever else is installed")
  func namedClass() throws {
    let leader = Self.lease("plndr-svcs-lock", in: "kube-system", holder: "node3")
    let of = { (name: String) in
      try self.answer(
        Self.nodes(3), Self.service("192.168.20.207", spec: "loadBalancerClass: \(name)"), leader,
        Self.metalLB("L2Advertisement")
      ).node
    }
    #expect(try of("kube-vip.io/kube-vip-class") == "node3" && of("metallb.io/x") == "node1")
  }

  @Test("of nodes with known speakers, only these announce")
  func speakers() throws {
    let speaker = { (node: Int, phase: String) in
      """
      apiVersion: v1
      kind: Pod
      metadata: {name: speaker-\(node), namespace: metallb-system}
      spec: {nodeName: node\(node), hostNetwork: true, containers: [{name: c, image: "quay.io/metallb/speaker:v0.14.9"}]}
      status: {phase: \(phase)}
      ---

      """
    }
    let (nodes, service) = (Self.nodes(3), Self.service("192.168.20.207"))
    #expect(try answer(nodes, service, speaker(2, "Running")).node == "node2")
    #expect(try answer(nodes, service, speaker(2, "Running"), speaker(3, "Running")).node == "node3")
    #expect(try answer(nodes, service, speaker(1, "Failed"), speaker(3, "Running")).node == "node3")
  }

  @Test("pools without an advertisement get a warning")
  func unadvertised() throws {
    let text = "IPAddressPools, but no L2Advertisement or BGPAdvertisement in the input: "
    let warns = { (more: String) in
      try read(Self.nodes(3) + Self.service("192.168.20.207") + more).texts.contains { $0.hasPrefix(text) }
    }
    #expect(try warns(Self.metalLB()))
    #expect(try !warns(Self.metalLB("L2Advertisement")))
  }

  @Test("a Lease or an annotation that names no node gets a warning")
  func strangers() throws {
    let nodes = Self.nodes(3)
    let lease = Self.lease("plndr-svcs-lock", in: "kube-system", holder: "nodex")
    let vip = Self.service("192.168.20.9", annotations: "kube-vip.io/vipHost: nodey")
    let texts = try read(nodes + vip + lease).texts
    #expect(texts.contains("the Lease plndr-svcs-lock names \"nodex\", which matches no node: it is not used"))
    #expect(
      texts.contains("kube-vip.io/vipHost of Service app/web names \"nodey\", which matches no node: it is not used"))
  }

  @Test(
    "nonsense in MetalLB's objects is refused",
    arguments: [
      (
        "IPAddressPool", "addresses: [192.168.20.9-192.168.20.1]",
        "a.yaml:4: IPAddressPool m/a: spec.addresses[0]: \"192.168.20.9-192.168.20.1\" is no range of addresses; "
          + "write 192.168.10.0/24 or 192.168.9.1-192.168.9.5"
      ),
      (
        "L2Advertisement", "nodeSelectors: foo",
        "a.yaml:4: L2Advertisement m/a: spec.nodeSelectors: expected a list, found the string \"foo\""
      ),
      (
        "L2Advertisement", "nodeSelector: []",
        "a.yaml:4: L2Advertisement m/a: spec.nodeSelector: unknown field; did you mean nodeSelectors?"
      ),
      (
        "IPAddressPool", "autoAssign: false",
        "a.yaml:4: IPAddressPool m/a: spec.addresses: is missing; give the pool's addresses"
      ),
      (
        "L2Advertisement", "preferredNodeSelectors: [{preference: {}}]",
        "a.yaml:4: L2Advertisement m/a: spec.preferredNodeSelectors[0].weight: is missing; give a weight from 1 to 100"
      ),
    ])
  func refused(kind: String, spec: String, line: String) {
    #expect(
      refusal("apiVersion: metallb.io/v1beta1\nkind: \(kind)\nmetadata: {name: a, namespace: m}\nspec: {\(spec)}\n")
        == line)
  }

  @Test("a node whose network is unavailable doesn't answer")
  func unavailable() throws {
    let nodes = Self.nodes(3).replacing(
      "address: 192.168.20.11}]}",
      with: "address: 192.168.20.11}], conditions: [{type: NetworkUnavailable, status: 'True'}]}")
    #expect(try answer(nodes, Self.service("192.168.20.207"), Self.speaker).node == "node3")
  }

  private static func lease(_ name: String, in namespace: String, holder: String) -> String {
    "apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {name: \(name), namespace: \(namespace)}\n"
      + "spec: {holderIdentity: \(holder)}\n---\n"
  }

  @Test("with kube-vip the holder of a lease answers, with policy Local only if it has an endpoint")
  func leases() throws {
    let document = Self.document("loadBalancer: kube-vip")
    let (cluster, local) = (
      Self.service("192.168.20.9"), Self.service("192.168.20.9", spec: "externalTrafficPolicy: Local")
    )
    let leader = Self.lease("plndr-svcs-lock", in: "kube-system", holder: "node3")
    let found = try answer(Self.nodes(3), cluster, document, leader)
    #expect(found.node == "node3" && found.basis == .rule(.kubeVIP))
    #expect(try answer(Self.nodes(3), local, document, leader).basis == .nobody(.kubeVIP, .noNode))
    let own = Self.lease("kubevip-web", in: "app", holder: "node2")
    #expect(try answer(Self.nodes(3), local, document, leader, own).node == "node2")
    // Without a lease only a single candidate is certain.
    #expect(try answer(Self.nodes(3), local, document).basis == .rule(.kubeVIP))
    #expect(try answer(Self.nodes(3), cluster, document).basis == .assumed)
  }

  @Test("kube-vip's annotation names the node; a stated announcer comes before everything")
  func stated() throws {
    let (nodes, vip) = (Self.nodes(3), Self.service("192.168.20.9", annotations: "kube-vip.io/vipHost: node3"))
    #expect(try answer(nodes, vip).basis == .annotation("node3"))
    let announcer = Self.document("loadBalancerAnnouncer: node2")
    let found = try answer(nodes, vip, Self.speaker, announcer)
    #expect(found.node == "node2" && found.basis == .stated)
  }

  private static func kubeVIP(_ variable: String) -> String {
    """
    apiVersion: apps/v1
    kind: DaemonSet
    metadata: {name: kube-vip, namespace: kube-system}
    spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {hostNetwork: true, containers: [{name: c, image: "ghcr.io/kube-vip/kube-vip:v0.9", env: [{name: \(variable), value: "true"}]}]}}}
    ---

    """
  }

  @Test("kube-vip's own election for each Service leaves the common lease aside, and with BGP all nodes announce")
  func kubeVIPFlags() throws {
    let leader = Self.lease("plndr-svcs-lock", in: "kube-system", holder: "node3")
    let service = Self.service("192.168.20.9")
    #expect(try answer(Self.nodes(3), service, leader, Self.kubeVIP("svc_enable")).node == "node3")
    #expect(try answer(Self.nodes(3), service, leader, Self.kubeVIP("svc_election")).basis == .assumed)
    #expect(
      try answer(Self.nodes(3), service, leader, Self.kubeVIP("bgp_enable")).basis
        == .oneOfSeveral(.kubeVIP, ["node1", "node2", "node3"]))
  }

  @Test("kube-vip's address is one of its node's own, and MetalLB's is on no node")
  func bound() throws {
    let leader = Self.lease("plndr-svcs-lock", in: "kube-system", holder: "node3")
    let address = try #require(IPAddress("192.168.20.9"))
    let holders = { (text: String) in
      try read(Self.nodes(3) + Self.service("192.168.20.9") + text).cluster.nodes.filter {
        $0.addresses.contains(address)
      }
      .map(\.name)
    }
    #expect(try holders(leader) == ["node3"])
    #expect(try holders(Self.speaker).isEmpty)
  }

  @Test("a Service with another program's class is not MetalLB's")
  func otherClass() throws {
    let other = Self.service("192.168.20.207", spec: "loadBalancerClass: other.io/x")
    #expect(try answer(Self.nodes(3), other, Self.speaker).basis == .assumed)
  }

  @Test("without any sign the first node is taken, and a warning says so, unless there is only one")
  func assumed() throws {
    let found = try answer(Self.nodes(3), Self.service("192.168.20.9"))
    #expect(found.node == "node1" && found.basis == .assumed)
    let warnings = { (text: String) in try read(text).texts.filter { $0.hasPrefix("nothing says which node answers") } }
    #expect(
      try warnings(Self.nodes(3) + Self.service("192.168.20.9")) == [
        "nothing says which node answers for 192.168.20.9 (app/web): node1 is taken; give loadBalancer or loadBalancerAnnouncer in a Cluster document"
      ])
    #expect(try warnings(Self.nodes(1) + Self.service("192.168.20.9").replacing("node2", with: "node1")).isEmpty)
    // servicelb's addresses are those of nodes, which answer for themselves.
    #expect(try warnings(Self.nodes(3) + Self.service("192.168.20.12")).isEmpty)
  }

  @Test("a balancer with ipMode Proxy is a machine of its own, which no node answers for")
  func proxy() throws {
    let text =
      Self.nodes(2)
      + Self.service("192.168.20.9").replacing("ip: 192.168.20.9", with: "ip: 192.168.20.9, ipMode: Proxy")
    let reading = try read(text)
    let address = try #require(IPAddress("192.168.20.9"))
    #expect(reading.cluster.announcements.isEmpty)
    #expect(reading.cluster.externalHosts.map(\.addresses) == [[address]])
    #expect(reading.cluster.serviceEndpoint(at: address) == nil)
    #expect(reading.texts.contains { $0.hasPrefix("ipMode Proxy: 192.168.20.9; a machine of its own") })
  }
}
