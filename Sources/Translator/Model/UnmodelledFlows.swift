/// What decides some flows of a cluster and is not modelled: services by IPVS or eBPF, hostPorts without portmap or
/// claimed twice, and meshes.
public struct UnmodelledFlows: Sendable {
  private struct Place: Hashable {
    let node: String
    let port: TransportPort
  }

  private let serviceProxy: ServiceProxyKind
  private let hostPortMapping: HostPortMapping
  private struct Front: Hashable {
    let address: IPAddress
    let port: TransportPort
  }

  private let serviceAddresses: Set<IPAddress>
  private let fronts: Set<Front>
  /// External addresses of services whose rules may refuse or drop a packet after its translation: they find it by its
  /// address and port, whoever put them there.
  private let refusals: [Front: NamespacedName]
  /// Of these, the ones with traffic policy Local.
  private let localRefusals: Set<Front>
  /// External addresses of services with several endpoints: who sends a packet there may get any.
  private let choices: [Front: NamespacedName]
  private let nodePorts: Set<TransportPort>
  private let meshes: [PodID: Mesh]
  /// Pods of k3s's servicelb of which nothing says where they send what they receive.
  private let balancers: Set<PodID>
  private var hostPorts: [Place: [(port: HostPort, pod: PodID)]] = [:]

  public init(_ cluster: Cluster) {
    serviceProxy = cluster.settings.serviceProxy
    hostPortMapping = cluster.settings.hostPorts
    serviceAddresses = Set(cluster.services.flatMap { $0.clusterIPs + $0.translatedAddresses })
    fronts = Set(
      cluster.services.flatMap { service in
        (service.clusterIPs + service.translatedAddresses).flatMap { address in
          service.ports.map { Front(address: address, port: TransportPort($0.transport, $0.port)) }
        }
      })
    let members = cluster.slicesByService.mapValues { $0.flatMap(\.members) }
    let refusing = cluster.services.filter { service in
      let members = members[service.id] ?? []
      return service.externalTrafficPolicy == .local || !service.loadBalancerSourceRanges.isEmpty
        || !members.contains { $0.isReady }
    }
    refusals = Dictionary(
      refusing.flatMap { service in
        service.translatedAddresses.flatMap { address in
          service.ports.map { (Front(address: address, port: TransportPort($0.transport, $0.port)), service.id) }
        }
      }
    ) { first, _ in first }
    localRefusals = Set(
      cluster.services.filter { $0.externalTrafficPolicy == .local }.flatMap { service in
        service.translatedAddresses.flatMap { address in
          service.ports.map { Front(address: address, port: TransportPort($0.transport, $0.port)) }
        }
      })
    let choosing = cluster.services.filter { (members[$0.id] ?? []).count > 1 }
    choices = Dictionary(
      choosing.flatMap { service in
        service.translatedAddresses.flatMap { address in
          service.ports.map { (Front(address: address, port: TransportPort($0.transport, $0.port)), service.id) }
        }
      }
    ) { first, _ in first }
    nodePorts = Set(
      cluster.services.flatMap { service in
        service.ports.compactMap { port in port.nodePort.map { TransportPort(port.transport, $0) } }
      })
    meshes = Dictionary(cluster.pods.compactMap { pod in pod.mesh.map { (pod.id, $0) } }) { first, _ in first }
    balancers = Set(cluster.pods.filter { $0.isServiceLB && $0.forwards.isEmpty }.map(\.id))
    for pod in cluster.pods where !pod.phase.isTerminal {
      guard let node = pod.node else { continue }
      for host in pod.hostPorts { hostPorts[Place(node: node, port: host.port), default: []].append((host, pod.id)) }
    }
  }

  /// Why no engine can answer for a flow. `nil` if nothing unmodelled decides it.
  ///
  /// `node` is the node that has the flow's destination address, if one has it. `endpoints` are those that a service or
  /// a hostPort may send the flow to.
  public func why(_ flow: Flow, at node: String?, leadingTo endpoints: @autoclosure () -> [Endpoint] = [])
    -> Unmodelled?
  {
    guard let asked = flow.transportPort else { return nil }
    let isNodePort = node != nil && nodePorts.contains(asked)
    if isNodePort || serviceAddresses.contains(flow.destinationAddress) {
      switch serviceProxy {
      case .kubeProxy: break
      case .ipvs: return .ipvs
      case .ebpf(let product): return .ebpf(product)
      }
    }
    // With iptables kube-proxy's rules come before those of host ports, unless they let a packet through untranslated.
    let front = Front(address: flow.destinationAddress, port: asked)
    let isServices =
      hostPortMapping == .portmap && (isNodePort || fronts.contains(front)) && refusals[front] == nil
    let why = isServices ? nil : whyAtHostPort(flow.destinationAddress, asked, node)
    return why ?? whyInMesh(asked.transport, [flow.source, flow.destination], endpoints)
  }

  /// Why no engine can answer for a flow that a service sends to this endpoint: a service's rules against packets that
  /// were not translated meet the packet there too, or another node translates it again. `nil` if none do, or only source
  /// ranges of the same address (D24).
  public func why(_ flow: Flow, leadingTo address: IPAddress, _ port: TransportPort) -> Unmodelled? {
    let front = Front(address: address, port: port)
    let isSame = address == flow.destinationAddress && port == flow.transportPort
    let place = address.description(port: port.port)
    guard let other = refusals[front], !isSame || localRefusals.contains(front) else {
      return choices[front].map { .endpointOfChoosing(place, $0) }
    }
    return .endpointOfRefusing(place, other)
  }

  private func whyAtHostPort(_ address: IPAddress, _ asked: TransportPort, _ node: String?) -> Unmodelled? {
    guard let node else { return nil }
    let claims = (hostPorts[Place(node: node, port: asked)] ?? []).filter { $0.port.isOpen(at: address) }
    guard let first = claims.first else { return nil }
    if hostPortMapping == .other {
      return .hostPortMapping(asked, node: node, first.pod)
    }
    if balancers.contains(first.pod) { return .balancer(asked, node: node, first.pod) }
    guard let second = claims.first(where: { $0.pod != first.pod }) else { return nil }
    return .hostPortTwice(asked, node: node, first.pod, second.pod)
  }

  private func whyInMesh(_ transport: Transport, _ ends: [Endpoint], _ endpoints: () -> [Endpoint]) -> Unmodelled? {
    guard transport == .tcp, !meshes.isEmpty else { return nil }
    for case .pod(let id) in ends + endpoints() {
      guard let mesh = meshes[id] else { continue }
      return .mesh(mesh, id)
    }
    return nil
  }
}
