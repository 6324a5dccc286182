/// What decides some flows of a cluster and is not modelled: hostPorts, and services by IPVS.
public struct UnmodelledFlows: Sendable {
  private struct Place: Hashable {
    let node: String
    let port: TransportPort
  }

  private let usesIPVS: Bool
  private let serviceAddresses: Set<IPAddress>
  private let nodePorts: Set<TransportPort>
  private var hostPorts: [Place: [(address: IPAddress?, pod: PodID)]] = [:]

  public init(_ cluster: Cluster) {
    usesIPVS = cluster.settings.usesIPVS
    serviceAddresses = Set(cluster.services.flatMap { $0.clusterIPs + $0.announcedAddresses })
    nodePorts = Set(
      cluster.services.flatMap { service in
        service.ports.compactMap { port in port.nodePort.map { TransportPort(port.transport, $0) } }
      })
    for pod in cluster.pods where !pod.phase.isTerminal {
      guard let node = pod.node else { continue }
      for host in pod.hostPorts {
        hostPorts[Place(node: node, port: host.port), default: []].append((host.address, pod.id))
      }
    }
  }

  /// Why no engine can answer for a flow. `nil` if nothing unmodelled decides it. `node` is the node that has the flow's
  /// destination address, if one has it.
  public func why(_ flow: Flow, at node: String?) -> String? {
    guard let asked = flow.transportPort else { return nil }
    let isNodePort = node != nil && nodePorts.contains(asked)
    if usesIPVS, isNodePort || serviceAddresses.contains(flow.destinationAddress) {
      return "services are translated by IPVS here, and only kube-proxy's iptables mode is modelled"
    }
    // kube-proxy's rules come before those of hostPorts.
    guard let node, !isNodePort, let hosts = hostPorts[Place(node: node, port: asked)] else { return nil }
    let host = hosts.first { $0.address.map { $0.bits == 0 || $0 == flow.destinationAddress } ?? true }
    return host.map { "\(asked) of node \(node) is a hostPort of pod \($0.pod), and hostPorts are not modelled" }
  }
}
