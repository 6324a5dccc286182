internal import Algorithms
public import NetpolModel
public import Path

/// The flows to ask about: from every endpoint to every other, on the ports where policies could make a difference.
public struct ProbePlan: Sendable {
  /// Rows and columns: pods by name, then nodes, then external hosts.
  public let endpoints: [Endpoint]
  public let flows: [Flow]
  /// Flows that can't be sent: a sender without a route, SCTP without raw sockets, or an address that nobody has.
  public let unasked: [UnaskedFlow]

  /// How many flows are asked about.
  public enum Breadth: Hashable, Sendable {
    /// Endpoints, at the ports that objects name.
    case matrix
    /// Also both sides of every boundary: the ports next to a range, the addresses at the ends of a block and next to
    /// it that an outside host answers for, and a multicast group that pods listen to. If kube-proxy stops what goes to
    /// idle ClusterIPs: a port that a service doesn't have, and an address that no service has.
    case boundaries
  }

  /// `only` restricts sources, destinations and ports; `nil` means all. `sctpObstacle` says why SCTP can't be probed
  /// here.
  public init(
    _ cluster: Cluster, _ topology: Topology, only: Selection = Selection(), breadth: Breadth = .matrix,
    sctpObstacle: String? = nil
  ) {
    self.init(
      cluster, topology, PairFlows(cluster, topology, only: only, sctpObstacle: sctpObstacle), only: only,
      breadth: breadth)
  }

  /// The same with `pairs`, which must have the same selection.
  package init(
    _ cluster: Cluster, _ topology: Topology, _ pairs: PairFlows, only: Selection, breadth: Breadth = .matrix
  ) {
    let pods = cluster.pods.map(\.id).filter { topology.pods[$0] != nil || topology.hostNetworkPods[$0] != nil }
    var endpoints = pods.map(Endpoint.pod)
    endpoints += topology.nodes.map { .node($0.name) } + topology.externals.map { .external($0.name) }
    let (sources, destinations) = (only.sources.map(Set.init), only.destinations.map(Set.init))
    let isThere = { (end: Endpoint) in
      switch end {
      case .pod(let id): topology.pods[id] != nil || topology.hostNetworkPods[id] != nil
      case .node(let name): topology.node(name) != nil
      case .external(let name): topology.externals.contains { $0.name == name }
      case .service, .virtualAddress, .address: false
      }
    }
    let wanted = (only.sources ?? []) + (only.destinations ?? [])
    endpoints += wanted.uniqued().filter { !isThere($0) && !$0.isService }
    self.endpoints = endpoints
    let ports = only.ports == nil ? PortPlan(cluster, breadth) : nil
    // Part of the flows, but neither rows nor columns of the matrix.
    let edges = breadth == .boundaries ? Self.edges(cluster, topology).map(Endpoint.address) : []
    let idle = breadth == .boundaries ? Self.freeClusterIPs(cluster, topology).map(Endpoint.address) : []
    let privates =
      breadth == .boundaries ? Set(topology.nodes.flatMap(\.privateAddresses)).sorted().map(Endpoint.address) : []
    let services = cluster.services.flatMap { service -> [Endpoint] in
      (service.clusterIPs.isEmpty ? [] : [.service(service.id)])
        + service.translatedAddresses.map { .virtualAddress(service.id, $0) }
    }
    var flows: [Flow] = []
    var unasked: [UnaskedFlow] = []
    for destination in endpoints + edges + idle + privates + services where destinations?.contains(destination) ?? true
    {
      let asked =
        only.ports.map { Array($0.flatMap { cluster.questions($0, at: destination) }.uniqued()) }
        ?? (ports?.ports(at: destination) ?? []).map(Flow.Question.port)
      for source in endpoints + edges
      where (source != destination || topology.hostNode(of: source) != nil) && sources?.contains(source) ?? true {
        // Policies don't apply to traffic between machines outside.
        if topology.isOutside(source), topology.isOutside(destination) { continue }
        // Another address of an outside host matters only for policies, so only for flows from or to pods.
        if case .address = source, !destination.isPod, edges.contains(source) { continue }
        if case .address = destination, !source.isPod, edges.contains(destination) { continue }
        // Few hosts outside have a route to ClusterIPs. A flow that the user names is kept, to report why it can't be
        // sent.
        if topology.isOutside(source), !topology.routesToServices(source),
          destination.isClusterIP || idle.contains(destination),
          only.sources == nil || only.destinations == nil
        {
          continue
        }
        for family in cluster.families {
          for question in asked {
            let made = pairs.flows(from: source, to: destination, question, family)
            flows += made.flows
            unasked += made.unasked
          }
        }
        if breadth == .boundaries,
          let flow = Self.toGroup(from: source, heardBy: destination, asked, cluster, topology)
        {
          flows.append(flow)
        }
      }
    }
    self.flows = flows
    self.unasked = unasked
  }

  /// A plan without any flow.
  package static let none = ProbePlan(endpoints: [], flows: [])

  /// A plan of flows that were chosen elsewhere.
  package init(endpoints: [Endpoint], flows: [Flow]) {
    self.endpoints = endpoints
    self.flows = flows
    unasked = []
  }

  /// The user's selection of flows. `nil` means all.
  public struct Selection: Sendable {
    public var sources: [Endpoint]?
    public var destinations: [Endpoint]?
    /// One of the source's addresses; `nil` for the one that it would use by default.
    public var sourceAddress: IPAddress?
    public var destinationAddress: IPAddress?
    public var ports: [AskedPort]?
    public init(
      source: Endpoint? = nil, destination: Endpoint? = nil, sourceAddress: IPAddress? = nil,
      destinationAddress: IPAddress? = nil, ports: [TransportPort]? = nil
    ) {
      sources = source.map { [$0] }
      destinations = destination.map { [$0] }
      self.sourceAddress = sourceAddress
      self.destinationAddress = destinationAddress
      self.ports = ports.map { $0.map { .question(.port($0)) } }
    }

    /// Whether the user named a sender or a receiver. If not, a cluster without any flow is an answer, not a mistake.
    public var namesAnEnd: Bool { sources != nil || destinations != nil }
  }

  public var isEmpty: Bool { flows.isEmpty && unasked.isEmpty }

  /// The addresses on both sides of both ends of every block, if an outside host has them, without the hosts' own
  /// addresses.
  private static func edges(_ cluster: Cluster, _ topology: Topology) -> [IPAddress] {
    let cidrs = cluster.policies.flatMap { $0.ingress + $0.egress }.flatMap(\.peers.list).flatMap { peer -> [CIDR] in
      if case .block(let block) = peer { [block.cidr] + block.except } else { [] }
    }
    let own = Set(cluster.externalHosts.flatMap(\.addresses))
    let sides = cidrs.flatMap { cidr in
      [
        cidr.firstAddress.advanced(by: .max), cidr.firstAddress, cidr.lastAddress, cidr.lastAddress.advanced(by: 1),
      ]
    }
    return Set(sides).filter { address in
      if case .external? = topology.owner(of: address) { !own.contains(address) } else { false }
    }.sorted()
  }

  /// The last address of each service CIDR that nobody has. Empty unless kube-proxy stops packets to it.
  private static func freeClusterIPs(_ cluster: Cluster, _ topology: Topology) -> [IPAddress] {
    guard cluster.settings.kubeProxy.mode.isNftables else { return [] }
    let taken = Set(cluster.services.flatMap { $0.clusterIPs + $0.translatedAddresses })
    return cluster.settings.serviceCIDRs.map(\.lastAddress).filter {
      !taken.contains($0) && topology.owner(of: $0) == nil
    }
  }

  /// The group of mDNS, which every host on a link listens to.
  private static let group = IPAddress(v4: 0xe000_00fb)

  /// A datagram from a pod to a group that another pod on the same bridge listens to.
  private static func toGroup(
    from source: Endpoint, heardBy destination: Endpoint, _ questions: [Flow.Question], _ cluster: Cluster,
    _ topology: Topology
  ) -> Flow? {
    guard case .pod(let sender) = source, case .pod(let listener) = destination,
      let place = topology.pods[sender], place.node == topology.pods[listener]?.node,
      // It would send the datagram on.
      !topology.forwarders.contains(listener),
      topology.address(of: destination, .v4) != nil,
      let question = questions.first(where: { if case .port(let port) = $0 { port.transport == .udp } else { false } }),
      let flow = topology.flow(from: source, to: destination, question, .v4, destinationAddress: group)
    else { return nil }
    return obstacle(flow, cluster, topology, nil) == nil ? flow : nil
  }
}
