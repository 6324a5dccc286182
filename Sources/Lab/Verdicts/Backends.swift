package import NetpolModel
package import Path

/// All endpoints of services, whichever of them the rules choose. A flow to the service may arrive at any of them.
package struct Backends {
  private struct Key: Hashable {
    let address: IPAddress?
    let family: IPFamily
    let transport: Transport
    let port: UInt16
  }

  private let topology: Topology
  private let unmodelled: UnmodelledFlows
  private let nodePortAddresses: [CIDR]
  private var byFront: [Key: [KernelEngine.Backend]] = [:]
  /// The endpoints that can be asked about one by one. Only of fronts with several.
  private var targets: [Key: [ServiceTarget]] = [:]

  package init(_ cluster: Cluster, _ topology: Topology) {
    self.topology = topology
    unmodelled = UnmodelledFlows(cluster)
    nodePortAddresses = cluster.settings.kubeProxy.nodePortAddresses
    for service in cluster.services {
      let addresses = service.clusterIPs + service.announcedAddresses
      let slices = cluster.slices(of: service.id)
      for port in service.ports {
        let members = { (family: IPFamily) in
          slices.filter { $0.family == family }.flatMap { slice in
            slice.ports.filter { ($0.name ?? "") == (port.name ?? "") && $0.transport == port.transport }.flatMap {
              target in
              slice.members.compactMap { member in
                topology.owner(of: member.address).map { KernelEngine.Backend($0, member.address, target.port) }
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

  /// Returns the endpoints that a flow may arrive at; empty if the flow goes to no service.
  package func endpoints(for flow: Flow) -> [KernelEngine.Backend] { front(of: flow).flatMap { byFront[$0] } ?? [] }

  /// Returns a flow for each endpoint that the service may choose on some node, or the flow itself if there is no choice.
  package func choices(of flow: Flow) -> [Flow] {
    if targets.isEmpty { return [flow] }
    guard let targets = front(of: flow).flatMap({ targets[$0] }) else { return [flow] }
    return targets.map { target in
      var flow = flow
      flow.chosen = target
      return flow
    }
  }

  /// Why the lab gives no answer to a flow: something decides it that is not modelled. `nil` if nothing does.
  package func whyNotModelled(_ flow: Flow) -> String? {
    if case .node(let name)? = topology.owner(of: flow.destinationAddress) { return unmodelled.why(flow, at: name) }
    return unmodelled.why(flow, at: nil)
  }

  /// `nil` if the lab can address the endpoint of a service, or there is none to choose.
  package static func whyNotAsked(_ chosen: ServiceTarget?) -> String? {
    guard let chosen, chosen.codePoint == nil else { return nil }
    return "the lab can address 63 endpoints of a service port, and \(chosen.description) is one more"
  }

  private func front(of flow: Flow) -> Key? {
    guard let asked = flow.transportPort else { return nil }
    let key = Key(
      address: flow.destinationAddress, family: flow.family, transport: asked.transport, port: asked.port)
    if byFront[key] != nil { return key }
    guard case .node? = topology.owner(of: flow.destinationAddress) else { return nil }
    // Where NodePorts don't answer, the node itself is asked.
    let networks = nodePortAddresses.filter { $0.family == flow.family }
    guard networks.isEmpty || networks.contains(where: { $0.contains(flow.destinationAddress) }) else { return nil }
    return Key(address: nil, family: flow.family, transport: asked.transport, port: asked.port)
  }
}
