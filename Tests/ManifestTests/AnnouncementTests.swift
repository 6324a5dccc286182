// Not covered: advertisements for some pools or nodes only, and whether a speaker runs.
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
    #expect(nobody.node == nil && nobody.basis == .nobody(.metallbL2))
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

  @Test("kube-vip's annotation names the node; a stated announcer comes before everything")
  func stated() throws {
    let (nodes, vip) = (Self.nodes(3), Self.service("192.168.20.9", annotations: "kube-vip.io/vipHost: node3"))
    #expect(try answer(nodes, vip).basis == .annotation("node3"))
    let announcer = Self.document("loadBalancerAnnouncer: node2")
    let found = try answer(nodes, vip, Self.speaker, announcer)
    #expect(found.node == "node2" && found.basis == .stated)
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
