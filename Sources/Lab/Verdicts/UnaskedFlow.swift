public import NetpolModel
internal import Path

/// A flow that is not sent, and why.
public struct UnaskedFlow: Hashable, Sendable {
  public enum Obstacle: Hashable, Sendable {
    /// The lab can't send such a packet. Oracle and evaluator still answer.
    case noProbe(String)
    case noRoute(NoRoute)
    /// An end is an address that nobody has, so the flow has no answer.
    case nobody(NoRoute)
    /// Something decides the flow that is not modelled, so it has no answer.
    case notModelled(Unmodelled)
  }

  public let flow: Flow
  public let obstacle: Obstacle

  init(_ flow: Flow, _ obstacle: Obstacle) {
    self.flow = flow
    self.obstacle = obstacle
  }

  public var why: String {
    switch obstacle {
    case .noProbe(let why): why
    case .noRoute(let why), .nobody(let why): "\(why)"
    case .notModelled(let why): "\(why)"
    }
  }
}

extension ProbePlan {
  /// `nil` if the flow can be sent. `sctpObstacle` says why SCTP can't be probed here.
  static func obstacle(
    _ flow: Flow, _ cluster: Cluster, _ topology: Topology, _ sctpObstacle: String?
  ) -> UnaskedFlow.Obstacle? {
    if let why = whyNobody(is: flow.source, cluster, topology) { return .nobody(why) }
    if topology.node(addressedBy: flow) == nil, let why = whyNobody(is: flow.destination, cluster, topology) {
      return .nobody(why)
    }
    if flow.transport == .sctp, let sctpObstacle {
      return .noProbe("SCTP can't be probed here (\(sctpObstacle)): oracle and evaluator only [\(Code.noSCTP)]")
    }
    switch flow.destination {
    case .service where topology.isOutside(flow.source) && !topology.routesToServices(flow.source):
      return .noRoute(.onlyInside(nil))
    case .address(let address)
    where cluster.stopsPackets(to: address) && topology.isOutside(flow.source)
      && !topology.routesToServices(flow.source):
      return .noRoute(.onlyInside(address))
    // The rules decide where it leads.
    case .service, .virtualAddress: return nil
    case .address(let address) where cluster.stopsPackets(to: address) && topology.owner(of: address) == nil: return nil
    case .pod, .node, .external, .address: break
    }
    if case .noRoute(let why) = topology.walk(flow, asking: { _, packet in .passed(packet) }).end {
      return .noRoute(why)
    }
    return nil
  }

  /// `nil` if the endpoint is more than an address, or a machine has the address.
  private static func whyNobody(is endpoint: Endpoint, _ cluster: Cluster, _ topology: Topology) -> NoRoute? {
    guard case .address(let address) = endpoint, topology.owner(of: address) == nil,
      !cluster.stopsPackets(to: address)
    else { return nil }
    return .nobody(address, why: cluster.whyNobody(has: address))
  }
}

extension Topology {
  /// Whether the endpoint is a host outside with a route to ClusterIPs.
  func routesToServices(_ endpoint: Endpoint) -> Bool {
    guard case .external(let name) = endpoint else { return false }
    return externals.first { $0.name == name }?.routesToServices != nil
  }

  /// Whether the endpoint is a host outside the cluster, or an address of one.
  func isOutside(_ endpoint: Endpoint) -> Bool {
    switch endpoint {
    case .external: true
    case .address(let address): if case .external? = owner(of: address) { true } else { false }
    case .pod, .node, .service, .virtualAddress: false
    }
  }
}

extension Cluster {
  /// Whether kube-proxy stops packets to an address, because it is one for ClusterIPs that no service has.
  fileprivate func stopsPackets(to address: IPAddress) -> Bool {
    settings.kubeProxy.mode.isNftables && settings.serviceCIDRs.contains { $0.contains(address) }
  }
}

extension Endpoint {
  var isClusterIP: Bool { if case .service = self { true } else { false } }

  var isPod: Bool { if case .pod = self { true } else { false } }

  var isService: Bool {
    switch self {
    case .service, .virtualAddress: true
    case .pod, .node, .external, .address: false
    }
  }
}
