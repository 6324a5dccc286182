package import NetpolModel
package import Path

/// Makes the flows from one endpoint to another that ask one question: one for each endpoint of a service.
package struct PairFlows: Sendable {
  private let cluster: Cluster
  private let topology: Topology
  private let only: ProbePlan.Selection
  private let sctpObstacle: String?
  private let backends: Backends

  /// `backends`: those of the cluster, if they are known already.
  package init(
    _ cluster: Cluster, _ topology: Topology, only: ProbePlan.Selection = .init(), sctpObstacle: String? = nil,
    backends: Backends? = nil
  ) {
    self.cluster = cluster
    self.topology = topology
    self.only = only
    self.sctpObstacle = sctpObstacle
    self.backends = backends ?? Backends(cluster, topology)
  }

  /// The flows that can be sent, and those that can't. Both are empty if there is nothing to ask.
  package func flows(
    from source: Endpoint, to destination: Endpoint, _ question: Flow.Question, _ family: IPFamily
  ) -> (flows: [Flow], unasked: [UnaskedFlow]) {
    guard
      var flow = topology.flow(
        from: source, to: destination, question, family, sourceAddress: only.sourceAddress,
        destinationAddress: only.destinationAddress, toItself: true)
    else { return ([], []) }
    // A loopback address is the sender's own. Addresses of NodeLocal DNS are its node's.
    if flow.destinationAddress.isLoopback { flow.destination = source }
    if case .address(let address) = flow.destination, let node = topology.node(addressedBy: flow),
      node.privateAddresses.contains(address)
    {
      flow.destination = .node(node.name)
    }
    // What a node sends to itself stays there, unless a service or a pod is behind the port.
    if topology.isOneMachine(flow), backends.endpoints(for: flow).isEmpty { return ([], []) }
    let obstacle = ProbePlan.obstacle(flow, cluster, topology, sctpObstacle)
    var result: (flows: [Flow], unasked: [UnaskedFlow]) = ([], [])
    for flow in backends.choices(of: flow) {
      if let why = obstacle ?? backends.whyNotAsked(flow).map({ .notModelled($0) }) {
        result.unasked.append(UnaskedFlow(flow, why))
      } else {
        result.flows.append(flow)
      }
    }
    return result
  }

  /// The endpoints that a flow may arrive at, if it goes to a service or a host port.
  package func endpoints(for flow: Flow) -> [KernelEngine.Backend] { backends.endpoints(for: flow) }
}

extension Topology {
  /// Whether sender and receiver use one network namespace, and not over a loopback address.
  fileprivate func isOneMachine(_ flow: Flow) -> Bool {
    guard !flow.destinationAddress.isLoopback, let node = hostNode(of: flow.source) else { return false }
    return owner(of: flow.destinationAddress) == .node(node.name)
  }
}
