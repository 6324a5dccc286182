// Not covered: flows from a load balancer's address that the node itself has.
import NetpolModel
import Oracle
import TestSupport
import Testing

@Suite("The oracle knows which endpoints kube-proxy may choose") struct ServiceEndpointTests {
  /// Flows to which the oracle answers something else than kube-proxy, and why.
  static let exceptions: [String: String] = [
    "loadBalancer": "the lab's nodes don't have their load balancers' addresses themselves"
  ]

  @Test("for every flow of kube-proxy's own tests that the lab can send", arguments: KubeProxyMode.all)
  func flows(mode: KubeProxyMode) throws {
    for world in ProxyWorld.all(mode) {
      let flags = try #require(try world.kubeProxy(mode))
      for flow in world.flows {
        guard let expected = flow.fates(mode, in: world), Self.exceptions[flow.from.kind] == nil else { continue }
        let question = try Question(world, flags, flow)
        #expect(try question.fates() == Set(expected.map(PacketEnd.init)), "\(world.world): \(flow.name)")
      }
    }
  }

  @Test("a denial says whether the service has no endpoint at all, or none on the node of a Local policy")
  func reasons() throws {
    let id = NamespacedName("app", "web")
    let (service, client) = (IPAddress(v4: 0x0a2b_0009), IPAddress(v4: 0x0a2a_0005))
    var cluster = Cluster(
      nodes: [Node(name: "n1"), Node(name: "n2")],
      pods: [Pod(id: PodID("app", "client"), labels: [:], node: "n1", podIPs: [client])],
      services: [
        Service(
          id: id, ports: [.init(port: 80, targetPort: .number(80), transport: .tcp)], clusterIPs: [service],
          internalTrafficPolicy: .local)
      ])
    let flow = Flow(from: .pod(PodID("app", "client")), client, to: .service(id), service, .tcp, 80)
    #expect(Oracle(cluster).judge(flow) == Judgement(.deny, because: [.noEndpoints(id)]))
    cluster.endpointSlices = [
      EndpointSlice(
        id: NamespacedName("app", "web-a"), service: "web", family: .v4, ports: [.init(transport: .tcp, port: 80)],
        members: [.init(IPAddress(v4: 0x0a2a_0105), node: "n2")])
    ]
    #expect(Oracle(cluster).judge(flow) == Judgement(.deny, because: [.noLocalEndpoints(id, on: "n1")]))
    cluster.services[0].internalTrafficPolicy = .cluster
    #expect(Oracle(cluster).judge(flow).verdict == .allow)
  }

  @Test("two services whose endpoints are each other's NodePorts on other nodes come to an end")
  func loop() {
    let addresses = [IPAddress(v4: 0xc0a8_140b), IPAddress(v4: 0xc0a8_140c)]
    let service = { (number: Int) in
      Service(
        id: NamespacedName("app", "s\(number)"), kind: .nodePort,
        ports: [
          .init(port: 80, targetPort: .number(80), transport: .tcp, nodePort: UInt16(30000 + number))
        ], clusterIPs: [IPAddress(v4: UInt32(0x0a2b_0009 + number))])
    }
    let slice = { (number: Int) in
      EndpointSlice(
        id: NamespacedName("app", "s\(number)-a"), service: "s\(number)", family: .v4,
        ports: [.init(transport: .tcp, port: UInt16(30001 - number))], members: [.init(addresses[1 - number])])
    }
    let cluster = Cluster(
      nodes: [Node(name: "n1", addresses: [addresses[0]]), Node(name: "n2", addresses: [addresses[1]])],
      services: [service(0), service(1)], endpointSlices: [slice(0), slice(1)])
    let outside = IPAddress(v4: 0xc0a8_1432)
    let flow = Flow(from: .external("lan"), outside, to: .node("n1"), addresses[0], .tcp, 30000)
    #expect(Oracle(cluster).resolve(flow).intermediary != nil)
  }

  @Test(
    "only the named flows are left out, each of a kind that exists",
    arguments: [(KubeProxyMode.iptables, 341), (.nftables(.latest), 328)])
  func completeness(mode: KubeProxyMode, count: Int) {
    let flows = ProxyWorld.all(mode).flatMap { world in world.flows.filter { $0.fates(mode, in: world) != nil } }
    #expect(flows.count == count)
    #expect(flows.count { Self.exceptions[$0.from.kind] != nil } == 2)
    #expect(Set(Self.exceptions.keys).isSubset(of: flows.map(\.from.kind)))
  }
}

/// What the oracle says of a packet's end. Masquerading shows only in policies of another node.
private enum PacketEnd: Hashable {
  case to(String)
  case refused, dropped, untouched

  init(_ fate: PacketFate) {
    switch fate {
    case .to(let target, _): self = .to(target)
    case .refused: self = .refused
    case .dropped: self = .dropped
    case .accepted, .untouched: self = .untouched
    }
  }
}

/// One flow in its world.
private struct Question {
  private let cluster: Cluster
  private let flow: Flow
  private let node: String

  init(_ world: ProxyWorld, _ flags: KubeProxyFlags, _ packet: ProxyWorld.Flow) throws {
    let (from, to) = (try #require(IPAddress(packet.from.ip)), try #require(IPAddress(packet.to)))
    var own = try world.node()
    own.addresses += try world.proxy.localIPs.map { try #require(IPAddress($0)) }.filter { !own.addresses.contains($0) }
    let sender = Pod(id: PodID("test", "sender"), labels: [:], node: own.name, podIPs: [from])
    let source: Endpoint =
      switch packet.from.kind {
      case "pod": .pod(sender.id)
      case "node", "localhost": .node(own.name)
      default: .address(from)
      }
    var cluster = Cluster(
      nodes: [own] + world.nodes.filter { $0.name != own.name }.map { Node(name: $0.name) },
      pods: packet.from.kind == "pod" ? [sender] : [], services: try world.apiServices(),
      endpointSlices: try world.apiSlices())
    cluster.settings.clusterCIDRs = try world.clusterCIDRs()
    cluster.settings.serviceCIDRs = try world.serviceCIDRs()
    cluster.settings.kubeProxy = flags
    self.cluster = cluster
    node = own.name
    let destination = cluster.serviceEndpoint(at: to) ?? (own.addresses.contains(to) ? .node(own.name) : .address(to))
    flow = Flow(from: source, from, to: destination, to, try packet.transport(), packet.port)
  }

  /// All ends that the oracle admits. It names the endpoint with the lowest address, so each one in turn gets that.
  func fates() throws -> Set<PacketEnd> {
    let resolved = Oracle(cluster).resolve(flow, enteringAt: node)
    switch resolved.idleClusterIP {
    case .otherPort?: return [.refused]
    case .unallocated?: return [.dropped]
    case nil: break
    }
    if resolved.intermediary == nil { return [.untouched] }
    if resolved.isRefused { return [resolved.isOutOfRange || resolved.isolatedEntry != nil ? .dropped : .refused] }
    let addresses = Set(cluster.endpointSlices.flatMap(\.members).map(\.address))
    return Set(
      addresses.compactMap { address -> PacketEnd? in
        let lowest = IPAddress(family: address.family, bits: 1)
        var cluster = cluster
        for slice in cluster.endpointSlices.indices {
          for member in cluster.endpointSlices[slice].members.indices
          where cluster.endpointSlices[slice].members[member].address == address {
            cluster.endpointSlices[slice].members[member].address = lowest
          }
        }
        let arrived = Oracle(cluster).resolve(flow, enteringAt: node).arrived
        guard arrived.destinationAddress == lowest, let port = arrived.port else { return nil }
        return .to(address.description(port: port))
      })
  }
}
