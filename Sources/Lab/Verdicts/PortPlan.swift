package import NetpolModel

/// Ports that could make a difference: those that policies name, those of a destination, and one that nothing names,
/// over TCP and UDP (at boundaries also SCTP).
package struct PortPlan {
  private let cluster: Cluster
  private let pods: [PodID: Pod]
  private let services: [NamespacedName: Service]
  private let servicesIn: [String: [Service]]
  private let fromPolicies: Set<TransportPort>
  private let unnamed: [TransportPort]
  /// At nodes: the first port of the NodePort range. At boundaries also the last one and the ports next to both.
  private let nodePorts: [UInt16]
  /// Whether a port of a ClusterIP that no service has is a boundary.
  private let refusesOtherPorts: Bool

  package init(_ cluster: Cluster, _ breadth: ProbePlan.Breadth = .matrix) {
    self.cluster = cluster
    pods = Dictionary(cluster.pods.map { ($0.id, $0) }) { first, _ in first }
    services = Dictionary(cluster.services.map { ($0.id, $0) }) { first, _ in first }
    servicesIn = Dictionary(grouping: cluster.services, by: \.id.namespace)
    let isFine = breadth == .boundaries
    refusesOtherPorts = isFine && cluster.settings.kubeProxy.mode.isNftables
    // Most policies name the same few ports.
    let exposed = Dictionary(grouping: cluster.pods.lazy.flatMap(\.ports).filter { $0.name != nil }, by: \.name)
      .mapValues { Set($0.map { TransportPort($0.transport, $0.number) }) }
    var named: Set<TransportPort> = []
    var ranges: [PortRange] = [cluster.settings.nodePorts]
    for policy in cluster.policies {
      for port in (policy.ingress + policy.egress).flatMap(\.ports.list) {
        switch port.number {
        case .any: break
        case .number(let first, let through):
          let last = max(first, through ?? first)
          ranges.append(PortRange(first, last))
          let beside = isFine ? [first - (first > 1 ? 1 : 0), last + (last < .max ? 1 : 0)] : []
          named.formUnion(([first, last] + beside).map { TransportPort(port.transport, $0) })
        // At every destination: kube-router also opens a named port's numbers at pods that don't use the name (D3,
        // D16).
        case .name(let name):
          named.formUnion((exposed[name] ?? []).filter { $0.transport == port.transport })
        }
      }
    }
    fromPolicies = named
    let range = cluster.settings.nodePorts
    nodePorts = isFine ? [range.first &- 1, range.first, range.last, range.last &+ 1].filter { $0 > 0 } : [range.first]
    ranges += cluster.pods.flatMap(\.ports).map { PortRange($0.number) }
    ranges += cluster.services.flatMap(\.ports).map { PortRange($0.port) }
    let free = (20_000...UInt16.max).first { port in !ranges.contains { $0.contains(port) } }
    let transports = isFine ? Transport.allCases : [.tcp, .udp]
    unnamed = free.map { port in transports.map { TransportPort($0, port) } } ?? []
  }

  package func ports(at destination: Endpoint) -> [TransportPort] {
    var ports = fromPolicies.union(unnamed)
    switch destination {
    case .pod(let id):
      guard let pod = pods[id] else { break }
      ports.formUnion(pod.ports.map { TransportPort($0.transport, $0.number) })
      for service in servicesIn[id.namespace] ?? [] where service.selects(pod) {
        ports.formUnion(service.targets(at: pod))
      }
    // A pod's egress policy isn't applied to these at its own node (D8).
    case .node(let name):
      for pod in cluster.pods where pod.node == name && !pod.phase.isTerminal {
        ports.formUnion(pod.hostPorts.map(\.port))
      }
      ports.formUnion(nodePorts.map { TransportPort(.tcp, $0) })
      for port in cluster.services.flatMap(\.ports) {
        if let number = port.nodePort { ports.insert(TransportPort(port.transport, number)) }
      }
    case .service(let id) where refusesOtherPorts:
      return (services[id]?.ports ?? []).map { TransportPort($0.transport, $0.port) } + unnamed.prefix(1)
    case .service(let id), .virtualAddress(let id, _):
      return (services[id]?.ports ?? []).map { TransportPort($0.transport, $0.port) }
    case .external, .address: break
    }
    return ports.sorted()
  }
}
