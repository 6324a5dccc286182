internal import NetpolModel
internal import Path

/// All endpoints of services, whichever of them rules choose: there a flow may arrive.
struct Backends {
  private struct Key: Hashable {
    let address: IPAddress?
    let transport: Transport
    let port: UInt16
  }

  private let topology: Topology
  private var byFront: [Key: [KernelEngine.Backend]] = [:]

  init(_ cluster: Cluster, _ topology: Topology) {
    self.topology = topology
    for service in cluster.services {
      let addresses = service.clusterIPs + service.externalIPs + service.loadBalancerIPs.map(\.address)
      for port in service.ports {
        let members = cluster.slices(of: service.id).flatMap { slice in
          slice.ports.filter { ($0.name ?? "") == (port.name ?? "") && $0.transport == port.transport }.flatMap {
            target in
            slice.members.compactMap { member in
              topology.owner(of: member.address).map { KernelEngine.Backend($0, member.address, target.port) }
            }
          }
        }
        for address in addresses {
          byFront[Key(address: address, transport: port.transport, port: port.port), default: []] += members
        }
        if let number = port.nodePort {
          byFront[Key(address: nil, transport: port.transport, port: number), default: []] += members
        }
      }
    }
  }

  /// Empty for a flow to no service.
  func of(_ flow: Flow) -> [KernelEngine.Backend] {
    let key = Key(address: flow.destinationAddress, transport: flow.transport, port: flow.port)
    if let found = byFront[key] { return found }
    guard case .node? = topology.owner(of: flow.destinationAddress) else { return [] }
    return byFront[Key(address: nil, transport: flow.transport, port: flow.port)] ?? []
  }
}
