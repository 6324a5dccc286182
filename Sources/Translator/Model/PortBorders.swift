extension Cluster {
  /// The borders of port ranges that its objects name: policies, containers, services and the NodePort range.
  public var portBorders: [(transport: Transport, range: PortRange)] {
    var borders: [(transport: Transport, range: PortRange)] = []
    for rule in policies.flatMap({ $0.ingress + $0.egress }) {
      for port in rule.ports.list {
        guard case .number(let first, let last) = port.number else { continue }
        borders.append((port.transport, PortRange(first, max(first, last ?? first))))
      }
    }
    borders += pods.flatMap { pod in
      pod.ports.map { ($0.transport, PortRange($0.number)) }
        + pod.hostPorts.map { ($0.port.transport, PortRange($0.port.port)) }
    }
    for port in services.flatMap(\.ports) {
      borders += [port.port, port.nodePort].compactMap { $0 }.map { (port.transport, PortRange($0)) }
    }
    return borders + Transport.allCases.map { ($0, settings.nodePorts) }
  }
}
