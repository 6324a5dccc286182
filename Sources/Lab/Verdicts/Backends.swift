internal import Algorithms
package import NetpolModel
package import Path

/// All endpoints of services, whichever of them the rules choose, and all pods with host ports. A flow to the service
/// or
/// port may arrive at any of them.
package struct Backends: Sendable {
  private struct Key: Hashable {
    let address: IPAddress?
    let family: IPFamily
    let transport: Transport
    let port: UInt16
  }

  private let topology: Topology
  private let unmodelled: UnmodelledFlows
  private let kubeProxy: KubeProxyFlags
  private struct HostPortKey: Hashable {
    let node: String
    let port: TransportPort
  }

  private var byFront: [Key: [KernelEngine.Backend]] = [:]
  private var hostPorts: [HostPortKey: [(port: HostPort, backend: KernelEngine.Backend)]] = [:]
  private let forwarders: [PodID: Pod]
  /// The endpoints that can be asked about one by one. Only of fronts with several.
  private var targets: [Key: [ServiceTarget]] = [:]

  package init(_ cluster: Cluster, _ topology: Topology) {
    self.topology = topology
    unmodelled = UnmodelledFlows(cluster)
    kubeProxy = cluster.settings.kubeProxy
    forwarders = Dictionary(
      cluster.pods.filter { topology.forwarders.contains($0.id) }.map { ($0.id, $0) }
    ) { first, _ in first }
    for pod in cluster.pods {
      guard let place = topology.pods[pod.id] else { continue }
      for port in pod.hostPorts {
        hostPorts[HostPortKey(node: place.node, port: port.port), default: []] += place.addresses.map {
          (port, KernelEngine.Backend(.pod(pod.id), $0.address, port.containerPort))
        }
      }
    }
    let slicesByService = cluster.slicesByService
    for service in cluster.services {
      // kube-proxy serves no address of a family in which the service has no ClusterIP.
      let families = Set(service.clusterIPs.map(\.family))
      let addresses = (service.clusterIPs + service.translatedAddresses).filter { families.contains($0.family) }
      let slices = slicesByService[service.id] ?? []
      for port in service.ports {
        let members = { (family: IPFamily) in
          slices.filter { $0.family == family }.flatMap { slice in
            slice.ports.filter { ($0.name ?? "") == (port.name ?? "") && $0.transport == port.transport }.flatMap {
              target in
              slice.members.map { member in
                // Nobody may have the address, as when it is another service's.
                KernelEngine.Backend(
                  topology.owner(of: member.address) ?? .address(member.address), member.address, target.port)
              }
            }
          }
        }
        let choices = Dictionary(IPFamily.allCases.map { ($0, slices.targets(of: port, $0)) }) { first, _ in first }
          .filter { $0.value.count > 1 }
        for address in addresses {
          let key = Key(address: address, family: address.family, transport: port.transport, port: port.port)
          byFront[key, default: []] += members(address.family)
          if targets[key] == nil { targets[key] = choices[address.family] }
        }
        for own in service.clusterIPs {
          guard let number = port.nodePort else { continue }
          let key = Key(address: nil, family: own.family, transport: port.transport, port: number)
          byFront[key, default: []] += members(own.family)
          if targets[key] == nil { targets[key] = choices[own.family] }
        }
      }
    }
  }

  /// Returns the endpoints that a flow may arrive at; empty if the flow goes to no service and no host port.
  package func endpoints(for flow: Flow) -> [KernelEngine.Backend] {
    if let cache = localDNS(for: flow) { return [cache] }
    return ownEndpoints(for: flow)
      + sentOn(flow).flatMap { onward in
        let ends = localDNS(for: onward).map { [$0] } ?? ownEndpoints(for: onward)
        let owner =
          topology.owner(of: onward.destinationAddress)
          ?? topology.node(addressedBy: onward).map { .node($0.name) }
        guard ends.isEmpty, let port = onward.port, let owner else { return ends }
        return [KernelEngine.Backend(owner, onward.destinationAddress, port)]
      }
  }

  /// The node's own process that answers a query to an address of NodeLocal DNS, in place of any Service. The node's
  /// own
  /// health check of it isn't translated either.
  private func localDNS(for flow: Flow) -> KernelEngine.Backend? {
    guard let asked = flow.transportPort, let node = topology.node(addressedBy: flow),
      node.privateAddresses.contains(flow.destinationAddress)
    else { return nil }
    let isHealthCheck = asked == TransportPort(.tcp, 8080) && topology.hostNode(of: flow.source) != nil
    guard TransportPort.dns.contains(asked) || isHealthCheck else { return nil }
    return KernelEngine.Backend(.node(node.name), flow.destinationAddress, asked.port)
  }

  private func ownEndpoints(for flow: Flow) -> [KernelEngine.Backend] {
    (front(of: flow).flatMap { byFront[$0] } ?? []) + hostPorts(for: flow)
  }

  /// The flows that pods send which send on what a flow brings them.
  private func sentOn(_ flow: Flow) -> [Flow] {
    guard !forwarders.isEmpty, let asked = flow.transportPort else { return [] }
    let direct = topology.owner(of: flow.destinationAddress).map {
      KernelEngine.Backend($0, flow.destinationAddress, asked.port)
    }
    return (hostPorts(for: flow) + (direct.map { [$0] } ?? [])).compactMap { backend in
      guard case .pod(let id) = backend.endpoint,
        let forward = forwarders[id]?.forward(TransportPort(asked.transport, backend.port)),
        let address = forward.destination(flow.family)
      else { return nil }
      return Flow(
        from: backend.endpoint, backend.address, to: topology.owner(of: address) ?? .address(address), address,
        asked.transport, forward.destinationPort)
    }
  }

  private func hostPorts(for flow: Flow) -> [KernelEngine.Backend] {
    guard !hostPorts.isEmpty, let asked = flow.transportPort, let node = topology.node(addressedBy: flow) else {
      return []
    }
    return (hostPorts[HostPortKey(node: node.name, port: asked)] ?? []).filter {
      $0.port.isOpen(at: flow.destinationAddress) && $0.backend.address.family == flow.family
    }.map(\.backend)
  }

  /// Returns a flow for each endpoint that the service may choose on some node, and for the pod with a host port of the
  /// same number, which gets what the service leaves alone. Returns the flow itself if there is no choice.
  package func choices(of flow: Flow) -> [Flow] {
    if targets.isEmpty || localDNS(for: flow) != nil { return [flow] }
    let fronts = ([flow] + sentOn(flow)).compactMap(front)
    let found = Array(fronts.flatMap { targets[$0] ?? [] }.uniqued())
    if found.isEmpty { return [flow] }
    let others = hostPorts(for: flow).filter { host in
      !topology.forwarderAddresses.contains(host.address)
        && !found.contains { $0.isAt(host.address, port: host.port) }
    }.map { ServiceTarget($0.address, port: $0.port, codePoint: ServiceTarget.noCodePoint) }
    return (found + others).map { target in
      var flow = flow
      flow.chosen = target
      return flow
    }
  }

  /// Why the lab gives no answer to a flow: something decides it that is not modelled. `nil` if nothing does.
  private func whyNotModelled(_ flow: Flow) -> Unmodelled? {
    unmodelled.why(flow, at: topology.node(addressedBy: flow)?.name, leadingTo: leadsTo(flow).map(\.endpoint))
  }

  /// The endpoints of a flow, or the one that it asks about.
  private func leadsTo(_ flow: Flow) -> [KernelEngine.Backend] {
    endpoints(for: flow).filter { backend in
      flow.chosen?.isAt(backend.address, port: backend.port) ?? true
    }
  }

  /// Whether a flow may arrive at this pod or address, as the endpoint of a service or behind a host port.
  package func leads(_ flow: Flow, to end: EndpointReference) -> Bool {
    leadsTo(flow).contains { backend in
      switch end {
      // A host-network pod has its node's addresses.
      case .pod(let id):
        return backend.endpoint == .pod(id)
          || topology.hostNode(of: .pod(id))?.addresses.contains(backend.address) == true
      case .address(let address): return backend.address == address
      case .workload, .service, .virtualAddress, .node, .external: return false
      }
    }
  }

  /// Why the lab doesn't ask about a flow by the endpoint that it chooses. `nil` if it does.
  package func whyNotAsked(_ flow: Flow) -> Unmodelled? {
    for part in [flow] + sentOn(flow) {
      if let why = whyNotModelled(part) { return why }
      guard let transport = flow.transport else { continue }
      for backend in leadsTo(part) {
        if let why = unmodelled.why(part, leadingTo: backend.address, TransportPort(transport, backend.port)) {
          return why
        }
      }
    }
    guard let chosen = flow.chosen, chosen.codePoint == nil else { return nil }
    return .manyEndpoints(chosen)
  }

  private func front(of flow: Flow) -> Key? {
    guard let asked = flow.transportPort else { return nil }
    let key = Key(
      address: flow.destinationAddress, family: flow.family, transport: asked.transport, port: asked.port)
    if byFront[key] != nil { return key }
    // Where NodePorts don't answer, the node itself is asked.
    guard let node = topology.node(addressedBy: flow),
      kubeProxy.hasNodePorts(at: flow.destinationAddress, of: node.addresses)
    else { return nil }
    return Key(address: nil, family: flow.family, transport: asked.transport, port: asked.port)
  }
}
