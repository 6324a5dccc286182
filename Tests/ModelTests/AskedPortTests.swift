import NetpolModel
import Testing

@Suite struct AskedPortTests {
  private static let cluster = Cluster(
    nodes: [Node(name: "n1")],
    pods: [
      Pod(
        id: PodID("shop", "web"),
        ports: [
          ContainerPort(name: "http", number: 8080), ContainerPort(name: "http", number: 8081),
          ContainerPort(name: "dns", number: 5353, transport: .udp), ContainerPort(number: 9000),
        ])
    ],
    services: [
      Service(
        id: NamespacedName("shop", "web"),
        ports: [.init(name: "http", port: 80, targetPort: .name("http"), transport: .tcp, nodePort: 30080)])
    ])

  @Test(
    "a name means what the destination calls so: all ports of that name, and none where nothing has it",
    arguments: [
      (.pod(PodID("shop", "web")), "http", ["TCP/8080", "TCP/8081"]), (.pod(PodID("shop", "web")), "dns", ["UDP/5353"]),
      (.service(NamespacedName("shop", "web")), "http", ["TCP/80"]),
      (.virtualAddress(NamespacedName("shop", "web"), IPAddress(v4: 1)), "http", ["TCP/80"]),
      (.node("n1"), "http", ["TCP/30080"]), (.node("n1"), "dns", []), (.external("lan"), "http", []),
    ] as [(Endpoint, String, [String])])
  func names(destination: Endpoint, name: String, ports: [String]) {
    #expect(Self.cluster.questions(.name(name), at: destination).map(\.description) == ports)
  }

  @Test func numbersAndPingsMeanTheSameEverywhere() {
    for question in [Flow.Question.echo, .port(TransportPort(.udp, 53))] {
      #expect(Self.cluster.questions(.question(question), at: .external("lan")) == [question])
    }
  }

  @Test func theNamesOfADestinationAreListedOnce() {
    #expect(Self.cluster.portNames(at: .pod(PodID("shop", "web"))) == ["dns", "http"])
  }
}
