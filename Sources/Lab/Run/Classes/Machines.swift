internal import Enforcement
internal import NetpolModel
internal import Path
internal import StandingLab
internal import Verdicts

/// The nodes and pods that some flows need: senders, receivers, the endpoints that services may choose, and every
/// machine
/// on the way.
struct Machines {
  private(set) var nodes: Set<String> = []
  private(set) var pods: Set<PodID> = []

  /// `journeys`: those of the flows, in their order.
  init(_ flows: [Flow], _ journeys: [Journey], in plan: LabPlan, _ pairs: PairFlows) {
    self.init(flows, in: plan.topology, pairs)
    for hop in journeys.lazy.flatMap(\.hops) { add(hop) }
  }

  /// Adds the machine that a packet passes.
  mutating func add(_ hop: Position) {
    nodes.insert(hop.node)
    if let pod = hop.pod { pods.insert(pod) }
  }

  /// The same as far as it can be told without rules.
  init(_ flows: [Flow], in topology: Topology, _ pairs: PairFlows) {
    for flow in flows {
      add(flow.source, topology)
      add(flow.destination, topology)
      if let owner = topology.owner(of: flow.destinationAddress) { add(owner, topology) }
      for end in pairs.endpoints(for: flow) where flow.chosen?.isAt(end.address, port: end.port) ?? true {
        add(end.endpoint, topology)
      }
      if let node = topology.announcers[flow.destinationAddress] { nodes.insert(node) }
    }
    for host in topology.externals { if let node = host.routesToServices { nodes.insert(node) } }
  }

  private mutating func add(_ endpoint: Endpoint, _ topology: Topology) {
    switch endpoint {
    case .pod(let id):
      if let place = topology.pods[id] {
        pods.insert(id)
        nodes.insert(place.node)
      } else if let node = topology.hostNetworkPods[id] {
        nodes.insert(node)
      }
    case .node(let name): nodes.insert(name)
    case .address(let address): if let owner = topology.owner(of: address) { add(owner, topology) }
    case .external, .service, .virtualAddress: break
    }
  }
}

extension LabPlan {
  /// A lab with these machines only.
  func holding(_ machines: Machines) -> LabPlan { holding(nodes: machines.nodes, pods: machines.pods) }
}
