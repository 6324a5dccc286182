internal import NetpolModel

/// The addresses and ports of services and the endpoints behind them, from API objects alone.
struct ServiceFronts: Sendable {
  /// How a packet reached a service.
  enum Way: Hashable, Sendable {
    case clusterIP
    /// By NodePort or external IP: `externalTrafficPolicy` applies.
    case external
    /// By load-balancer address: as `external`, and `loadBalancerSourceRanges` applies too.
    case loadBalancer
  }

  struct Front: Sendable {
    let service: Service
    let port: Service.Port
    let way: Way
    /// Reached by a port number on any address of a node.
    let isNodePort: Bool
  }

  /// An endpoint that a service leads to.
  struct Backend: Hashable, Sendable {
    let address: IPAddress
    let port: UInt16
    let node: String?
    let pod: PodID?
  }

  private struct Key: Hashable {
    /// `nil`: any address of a node.
    let address: IPAddress?
    let family: IPFamily
    let transport: Transport
    let port: UInt16
  }

  private let fronts: [Key: Front]
  /// All addresses of services, without the node addresses of NodePorts.
  let addresses: Set<IPAddress>
  /// The services' ClusterIPs.
  private let clusterIPs: [IPAddress: NamespacedName]
  private let serviceCIDRs: [CIDR]
  /// By service.
  let slices: [NamespacedName: [EndpointSlice]]

  init(_ cluster: Cluster) {
    var fronts: [Key: Front] = [:]
    for service in cluster.services.sorted(by: { $0.id < $1.id }) where service.kind != .externalName {
      for port in service.ports {
        let put = { (address: IPAddress?, family: IPFamily, number: UInt16, way: Way) in
          let key = Key(address: address, family: family, transport: port.transport, port: number)
          if fronts[key] == nil {
            fronts[key] = Front(
              service: service, port: port, way: way, isNodePort: address == nil)
          }
        }
        for address in service.clusterIPs { put(address, address.family, port.port, .clusterIP) }
        // A service serves the families in which it has a ClusterIP. Its addresses of another family lead nowhere.
        let families = Set(service.clusterIPs.map(\.family))
        for address in service.externalIPs where families.contains(address.family) {
          put(address, address.family, port.port, .external)
        }
        // With ipMode Proxy, traffic is delivered to the node with the node's own address as destination.
        for address in service.loadBalancerIPs where !address.isProxied && families.contains(address.address.family) {
          put(address.address, address.address.family, port.port, .loadBalancer)
        }
        if let number = port.nodePort { for family in families { put(nil, family, number, .external) } }
      }
    }
    self.fronts = fronts
    addresses = Set(fronts.keys.compactMap(\.address))
    clusterIPs = Dictionary(
      cluster.services.filter { $0.kind != .externalName }.flatMap { service in
        service.clusterIPs.map { ($0, service.id) }
      }
    ) { first, _ in first }
    if case .nftables(let release) = cluster.settings.kubeProxy.mode, release.knowsServiceCIDRs {
      serviceCIDRs = cluster.settings.serviceCIDRs
    } else {
      serviceCIDRs = []
    }
    slices = cluster.slicesByService
  }

  /// `nil` if the address is neither a ClusterIP nor free for one.
  func idleClusterIP(at address: IPAddress) -> IdleClusterIP? {
    if let service = clusterIPs[address] { return .otherPort(of: service) }
    return serviceCIDRs.contains { $0.contains(address) } ? .unallocated(address) : nil
  }

  /// `isNodes`: whether the address belongs to a node.
  func front(_ address: IPAddress, isNodes: Bool, _ transport: Transport, _ port: UInt16) -> Front? {
    fronts[Key(address: address, family: address.family, transport: transport, port: port)]
      ?? (isNodes ? fronts[Key(address: nil, family: address.family, transport: transport, port: port)] : nil)
  }
}
