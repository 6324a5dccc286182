import NetpolModel
import Testing

@Suite struct ClusterNamesTests {
  private static let front = IPAddress(v4: 0xc0a8_0132)
  private static let clusterIP = IPAddress(v4: 0x0a2b_0001)
  private static let lan = IPAddress(v4: 0xc0a8_0101)
  private static let podIP = IPAddress(v4: 0x0a2a_0005)
  private static let keywordIP = IPAddress(v4: 0x0a2a_0009)
  private static let nodeIP = IPAddress(v4: 0xc0a8_140b)

  private static func pod(_ name: String, _ kind: String, _ addresses: [IPAddress] = []) -> Pod {
    var pod = Pod(id: PodID("shop", name), node: "n1", podIPs: addresses)
    pod.owner = Pod.Workload(kind: kind, name: kind == "Rollout" ? "blue" : "web")
    return pod
  }

  private static let alias: Service = {
    var service = Service(id: NamespacedName("shop", "saas"), kind: .externalName)
    service.externalName = "api.example.com"
    return service
  }()

  private static let names = ClusterNames(
    Cluster(
      nodes: [Node(name: "n1", addresses: [nodeIP])], namespaces: [Namespace(name: "shop")],
      pods: [
        pod("web-0", "Deployment", [podIP]), pod("web-1", "Deployment"), pod("blue-0", "Rollout"),
        Pod(id: PodID("shop", "old"), labels: ["app": "old"], phase: .succeeded, podIPs: [podIP]),
        Pod(id: PodID("shop", "db-0"), labels: ["app": "db"], ports: [ContainerPort(name: "sql", number: 5432)]),
        Pod(id: PodID("node", "n9"), podIPs: [keywordIP]), Pod(id: PodID("external", "host")),
        Pod(id: PodID("service", "web")),
      ],
      services: [
        Service(
          id: NamespacedName("shop", "web"), clusterIPs: [clusterIP], loadBalancerIPs: [.init(front)]),
        Service(id: NamespacedName("shop", "bare")), alias,
        Service(
          id: NamespacedName("shop", "db"), selector: ["app": "db"],
          ports: [.init(port: 80, targetPort: .name("sql"), transport: .tcp)]),
      ], policies: [NetworkPolicy(id: PolicyID("shop", "deny"), isolates: [.ingress])],
      externalHosts: [ExternalHost(name: "lan", addresses: [lan])]))

  @Test(
    "resolves a reference to the endpoints of that name",
    arguments: [
      ("shop/web-0", ["shop/web-0"]), ("shop/deployment/web", ["shop/web-0", "shop/web-1"]),
      ("shop/rollout/blue", ["shop/blue-0"]), ("shop/service/web", ["service/shop/web"]),
      ("vip/shop/web/192.168.1.50", ["vip/shop/web/192.168.1.50"]), ("node/n1", ["node/n1"]),
      ("external/lan", ["external/lan"]), ("10.42.0.5", ["shop/web-0"]), ("192.168.20.11", ["node/n1"]),
      ("10.43.0.1", ["service/shop/web"]), ("192.168.1.50", ["vip/shop/web/192.168.1.50"]),
      ("192.168.1.1", ["external/lan"]), ("1.1.1.1", ["1.1.1.1"]),
    ])
  func endpoints(text: String, endpoints: [String]) throws {
    #expect(try Self.names.endpoints(EndpointReference(text)).map(\.description) == endpoints)
  }

  @Test("an address is that of the pod that has it now, not of one that has ended")
  func ended() throws {
    var old = Self.pod("a-old", "Job", [Self.podIP])
    for phase in [PodPhase.succeeded, .failed] {
      old.phase = phase
      let names = ClusterNames(Cluster(pods: [old, Self.pod("web-0", "Deployment", [Self.podIP])]))
      #expect(try names.endpoints(.address(Self.podIP)).map(\.description) == ["shop/web-0"])
      // If no pod has the address any more, the ended one is named, so that a report can say why nothing is asked.
      let ended = ClusterNames(Cluster(pods: [old]))
      #expect(try ended.endpoints(.address(Self.podIP)).map(\.description) == ["shop/a-old"])
    }
  }

  @Test(
    "rejects an unknown name and lists the known ones",
    arguments: [
      ("shop/api", "matches no pod; known in shop: blue-0, db-0, old, web-0, web-1"),
      ("bar/api", "matches no pod; there are none in bar"),
      ("shop/job/web", "matches no workload with pods; known in shop: Deployment/web, Rollout/blue"),
      ("service/shop/api", "matches no Service; known in shop: bare, db, saas, web"),
      ("service/shop/bare", "is a headless Service, without an address of its own; it has no pods either"),
      (
        "service/shop/db",
        "is a headless Service, without an address of its own; name one of its pods: shop/db-0 (TCP/5432)"
      ),
      (
        "service/shop/saas",
        "is of type ExternalName: only a DNS alias for api.example.com; name an address of api.example.com instead"
      ),
      ("vip/shop/web/1.1.1.1", "is not an address that Service shop/web announces; known: 192.168.1.50"),
      ("vip/shop/bare/1.1.1.1", "is not an address that Service shop/bare announces; there are none"),
      ("vip/shop/api/1.1.1.1", "matches no Service; known in shop: bare, db, saas, web"),
      ("node/n2", "matches no node; known: n1"),
      ("external/wan", "matches no external host; known: lan"),
      (
        "node/n9",
        "matches no node; known: n1; for pod n9 in namespace node, write its address, 10.42.0.9"
      ),
      ("external/host", "matches no external host; known: lan; for pod host in namespace external, write its address"),
      (
        "service/pod/web",
        "matches no Service; there are none in pod; for pod web in namespace service, write its address"
      ),
    ])
  func unknown(text: String, message: String) throws {
    let end = try EndpointReference(text)
    let error = #expect(throws: UnknownName.self) { try Self.names.endpoints(end) }
    #expect(error.map { "\($0.problem); \($0.remedy)" } == message)
    #expect(throws: UnknownName.self) { try Self.names.check(end) }
  }

  @Test("an address that two pods have belongs to the one that still runs") func addressOfTwo() throws {
    #expect(try Self.names.endpoints(.address(Self.podIP)) == [.pod(PodID("shop", "web-0"))])
  }

  @Test func withoutExternalHostsTheRemedyIsToDefineSome() {
    let error = #expect(throws: UnknownName.self) { try ClusterNames(Cluster()).check(.external("lan")) }
    #expect(error?.remedy == "define externalHosts in a Cluster document")
  }

  @Test func policiesAndNamespacesAreCheckedByName() throws {
    try Self.names.check(PolicyID("shop", "deny"))
    try Self.names.check(namespace: "shop")
    let policy = #expect(throws: UnknownName.self) { try Self.names.check(PolicyID("shop", "allow")) }
    #expect(policy?.problem == "matches no NetworkPolicy" && policy?.remedy == "known in shop: deny")
    let namespace = #expect(throws: UnknownName.self) { try Self.names.check(namespace: "bar") }
    #expect(namespace?.problem == "matches no namespace" && namespace?.remedy == "known: shop")
  }

  @Test func onlyTheFirstEightOfManyNamesAreListed() {
    let cluster = Cluster(nodes: (10..<20).map { Node(name: "n\($0)") })
    let error = #expect(throws: UnknownName.self) { try ClusterNames(cluster).check(.node("x")) }
    #expect(error?.remedy == "known: n10, n11, n12, n13, n14, n15, n16, n17 and 2 more")
  }
}
