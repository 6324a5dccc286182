public import NetpolModel
public import Path

/// Which flows to ask about: every endpoint to every other, on the ports where policies could make a difference.
public struct ProbePlan: Sendable {
  /// Rows and columns: pods by name, then nodes, then external hosts.
  public let endpoints: [Endpoint]
  public let flows: [Flow]
  /// Flows that the topology has no way for, and why: a sender without a route, SCTP without raw sockets.
  public let unasked: [(flow: Flow, why: String)]

  /// `only` restricts sources, destinations and ports; nil asks for all. `sctpObstacle` says why SCTP can't be probed
  /// here.
  public init(
    _ cluster: Cluster, _ topology: Topology, only: Selection = Selection(), sctpObstacle: String? = nil
  ) {
    let pods = cluster.pods.map(\.id).filter { topology.pods[$0] != nil || topology.hostNetworkPods[$0] != nil }
    var endpoints = pods.map(Endpoint.pod)
    endpoints += topology.nodes.map { .node($0.name) } + topology.externals.map { .external($0.name) }
    for wanted in [only.source, only.destination].compactMap({ $0 })
    where !endpoints.contains(wanted) && !wanted.isService {
      endpoints.append(wanted)
    }
    self.endpoints = endpoints
    let ports = PortPlan(cluster)
    let services = cluster.services.flatMap { service -> [Endpoint] in
      let outside = service.externalIPs + service.loadBalancerIPs.filter { !$0.isProxied }.map(\.address)
      return (service.clusterIPs.isEmpty ? [] : [.service(service.id)])
        + outside.map { .virtualAddress(service.id, $0) }
    }
    var flows: [Flow] = []
    var unasked: [(flow: Flow, why: String)] = []
    for destination in endpoints + services where only.destination.map({ $0 == destination }) ?? true {
      let asked = only.ports ?? ports.ports(at: destination)
      for source in endpoints where source != destination && only.source.map({ $0 == source }) ?? true {
        // What passes between machines outside is nobody's policy.
        if source.isOutside, destination.isOutside { continue }
        // A ClusterIP is known inside the cluster alone; asked for by name, the flow is told why it can't be.
        if source.isOutside, case .service = destination, only.source == nil || only.destination == nil { continue }
        for family in cluster.families {
          for port in asked {
            guard
              let flow = topology.flow(
                from: source, to: destination, port, family, sourceAddress: only.sourceAddress,
                destinationAddress: only.destinationAddress)
            else { continue }
            if let why = Self.obstacle(flow, topology, sctpObstacle) {
              unasked.append((flow, why))
            } else {
              flows.append(flow)
            }
          }
        }
      }
    }
    self.flows = flows
    self.unasked = unasked
  }

  /// A plan without any flow.
  static let none = ProbePlan()
  private init() {
    endpoints = []
    flows = []
    unasked = []
  }

  /// What a user asked for.
  public struct Selection: Sendable {
    public var source: Endpoint?
    public var destination: Endpoint?
    /// One of the source's addresses; nil for the one that it would use.
    public var sourceAddress: IPAddress?
    public var destinationAddress: IPAddress?
    public var ports: [TransportPort]?
    public init(
      source: Endpoint? = nil, destination: Endpoint? = nil, sourceAddress: IPAddress? = nil,
      destinationAddress: IPAddress? = nil, ports: [TransportPort]? = nil
    ) {
      self.source = source
      self.destination = destination
      self.sourceAddress = sourceAddress
      self.destinationAddress = destinationAddress
      self.ports = ports
    }
  }

  /// Why nothing is left to ask; nil where something is.
  public var emptiness: String? {
    flows.isEmpty && unasked.isEmpty
      ? "there is no flow to ask about: the ends are one, both are outside the cluster, they share no address family, or a service has no address of its own"
      : nil
  }

  private static func obstacle(_ flow: Flow, _ topology: Topology, _ sctpObstacle: String?) -> String? {
    if flow.transport == .sctp, let sctpObstacle {
      return "SCTP is not probed here (\(sctpObstacle)): oracle and evaluator alone"
    }
    switch flow.destination {
    case .service where flow.source.isOutside: return "a ClusterIP is known inside the cluster alone"
    // Where it leads is the rules' to say.
    case .service, .virtualAddress: return nil
    case .pod, .node, .external, .address: break
    }
    if case .noRoute(let why) = topology.walk(flow, asking: { _, packet in .passed(packet) }).end { return why }
    return nil
  }
}

extension Endpoint {
  fileprivate var isService: Bool {
    switch self {
    case .service, .virtualAddress: true
    case .pod, .node, .external, .address: false
    }
  }

  fileprivate var isOutside: Bool {
    switch self {
    case .pod, .node: false
    case .external, .address: true
    case .service, .virtualAddress: false
    }
  }
}

/// Ports that could make a difference: those that policies name, those that a destination has, and two that nothing names.
struct PortPlan {
  private let cluster: Cluster
  private let fromPolicies: Set<TransportPort>
  private let unnamed: [TransportPort]

  init(_ cluster: Cluster) {
    self.cluster = cluster
    var named: Set<TransportPort> = []
    var ranges: [PortRange] = [cluster.settings.nodePorts]
    for policy in cluster.policies {
      for port in (policy.ingress + policy.egress).flatMap(\.ports.list) {
        switch port.number {
        case .any: break
        case .number(let first, let through):
          let last = max(first, through ?? first)
          ranges.append(PortRange(first, last))
          named.formUnion([TransportPort(port.transport, first), TransportPort(port.transport, last)])
        // At every destination: kube-router opens a name's numbers also where nobody calls them so (D3, D16).
        case .name(let name):
          let numbers = cluster.pods.flatMap { $0.numbers(named: name, port.transport) }
          named.formUnion(numbers.map { TransportPort(port.transport, $0) })
        }
      }
    }
    fromPolicies = named
    ranges += cluster.pods.flatMap(\.ports).map { PortRange($0.number) }
    ranges += cluster.services.flatMap(\.ports).map { PortRange($0.port) }
    let free = (20_000...UInt16.max).first { port in !ranges.contains { $0.contains(port) } }
    unnamed = free.map { [TransportPort(.tcp, $0), TransportPort(.udp, $0)] } ?? []
  }

  func ports(at destination: Endpoint) -> [TransportPort] {
    var ports = fromPolicies.union(unnamed)
    switch destination {
    case .pod(let id):
      guard let pod = cluster.pod(id) else { break }
      ports.formUnion(pod.ports.map { TransportPort($0.transport, $0.number) })
      for service in cluster.services where service.selects(pod) {
        for port in service.ports {
          switch port.targetPort {
          case .number(let number): ports.insert(TransportPort(port.transport, number))
          case .name(let name):
            ports.formUnion(pod.numbers(named: name, port.transport).map { TransportPort(port.transport, $0) })
          }
        }
      }
    // Where a pod's egress policy is not asked about its own node (D8).
    case .node:
      ports.insert(TransportPort(.tcp, cluster.settings.nodePorts.first))
      for port in cluster.services.flatMap(\.ports) {
        if let number = port.nodePort { ports.insert(TransportPort(port.transport, number)) }
      }
    case .service(let id), .virtualAddress(let id, _):
      return (cluster.service(id)?.ports ?? []).map { TransportPort($0.transport, $0.port) }
    case .external, .address: break
    }
    return ports.sorted()
  }
}
