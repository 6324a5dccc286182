public import NetpolModel

/// A flow as the policies at its two ends see it, once services have been resolved.
///
/// "NetworkPolicy and services: … it is not defined whether this happens before or after NetworkPolicy processing" says
/// the Kubernetes documentation of rewritten addresses. Here policies judge what is really sent: the endpoint, and at the
/// receiver the source that arrives there.
public struct ResolvedFlow: Hashable, Sendable {
  /// To the endpoint, from whoever sends: what egress policies judge.
  public var sent: Flow
  /// With the source that the receiver's node sees: what ingress policies judge.
  public var arrived: Flow
  /// The service that was resolved; nil for a flow to no service.
  public var service: NamespacedName?
  /// The service has nowhere to go.
  public var isRefused = false
  /// It has, but not for this client (`loadBalancerSourceRanges`).
  public var isOutOfRange = false
}

extension Oracle {
  /// Resolves services by their objects. Of several endpoints the first by address is taken.
  public func resolve(_ flow: Flow) -> ResolvedFlow { resolve(flow, enteringAt: nil) }

  /// `entry` is the node that translates, where it is not the sender's own.
  public func resolve(_ flow: Flow, enteringAt given: String?) -> ResolvedFlow {
    var direct = ResolvedFlow(sent: flow, arrived: flow)
    if flow.destinationAddress.isMulticast {
      // Who sends to a group sends to no pod; who listens there receives from the sender.
      direct.sent.destination = .address(flow.destinationAddress)
      return direct
    }
    let addressed = nodeOwning(flow.destinationAddress)
    guard let asked = flow.transportPort,
      let front = fronts.front(flow.destinationAddress, isNodes: addressed != nil, asked.transport, asked.port)
    else { return direct }
    let sender = nodeSending(flow.source)
    // A packet is translated on its sender's node, unless a NodePort of another node is meant.
    let named = front.isNodePort || sender == nil ? addressed : nil
    let entry = given ?? named ?? sender ?? announcer
    let isElsewhere = sender != nil && named != nil && named != sender
    // Pods leave the cluster's networks with their node's address, also towards other nodes.
    var client = (endpoint: flow.source, address: flow.sourceAddress)
    if isElsewhere, let sender, case .pod = flow.source, let address = nodes[sender]?.address(flow.family) {
      client = (.node(sender), address)
    }
    let isPods = clusterCIDR(flow.family)?.contains(client.address) ?? false
    let policy =
      front.way == .clusterIP ? front.service.internalTrafficPolicy : front.service.externalTrafficPolicy
    let isEntrys = entry != nil && nodeSpeaking(client.endpoint) == entry
    // Pods and processes of the entry node are short-cut to all endpoints, even where the policy is Local.
    let isShortCut = front.way != .clusterIP && (isPods || isEntrys)
    let isLocal = policy == .local && !isShortCut
    // "Traffic through the cloud-provider load-balancer will be restricted to the specified client IPs."
    let ranges = front.service.loadBalancerSourceRanges.filter { $0.family == flow.family }
    if front.way == .loadBalancer, !ranges.isEmpty, !ranges.contains(where: { $0.contains(client.address) }) {
      return ResolvedFlow(
        sent: flow, arrived: flow, service: front.service.id, isRefused: true, isOutOfRange: true)
    }
    let backends = fronts.backends(front, flow.family, only: isLocal ? entry : nil)
    guard let backend = backends.first else {
      return ResolvedFlow(sent: flow, arrived: flow, service: front.service.id, isRefused: true)
    }
    let target = endpoint(of: backend)
    let isMasqueraded =
      switch front.way {
      case .clusterIP: !isPods || backend.address == client.address
      case .external, .loadBalancer:
        policy == .cluster || isEntrys || backend.address == client.address
      }
    var seen = client
    // The entry node masquerades behind its own policies: only another node sees its address.
    if isMasqueraded, let entry, backend.node != entry, let address = address(of: entry, towards: backend) {
      seen = (.node(entry), address)
    }
    let flowTo = { (from: Endpoint, address: IPAddress) in
      Flow(from: from, address, to: target, backend.address, asked.transport, backend.port)
    }
    return ResolvedFlow(
      sent: isElsewhere ? flow : flowTo(flow.source, flow.sourceAddress), arrived: flowTo(seen.endpoint, seen.address),
      service: front.service.id)
  }

  private func endpoint(of backend: ServiceFronts.Backend) -> Endpoint {
    if let pod = backend.pod { return .pod(pod) }
    if let node = nodeOwning(backend.address) { return .node(node) }
    return podOwning(backend.address).map(Endpoint.pod) ?? .address(backend.address)
  }

  /// The address that a node puts on what it sends to an endpoint: with a tunnel the first of its own pod CIDR.
  private func address(of node: String, towards backend: ServiceFronts.Backend) -> IPAddress? {
    guard let node = nodes[node] else { return nil }
    let family = backend.address.family
    if overlay == .vxlan, nodeOwning(backend.address) == nil,
      let block = node.podCIDRs.first(where: { $0.family == family })
    {
      return block.network
    }
    return node.address(family)
  }

  /// The node whose kernel sends a flow's packets; nil for what is outside.
  private func nodeSending(_ endpoint: Endpoint) -> String? {
    switch endpoint {
    case .pod(let id): pods[id]?.node
    case .node(let name): name
    case .external, .address, .service, .virtualAddress: nil
    }
  }
}
