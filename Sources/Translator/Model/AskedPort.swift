/// A port to ask about, as a user writes it: `80`, `UDP/53`, `ICMP`, or the name of a port.
public enum AskedPort: Hashable, Sendable {
  case question(Flow.Question)
  /// The name that a container or a Service gives to a port.
  case name(String)
}

extension Cluster {
  /// What an asked port means at a destination. Empty if nothing there has a port of that name.
  ///
  /// A name stands for the ports of a pod's containers, the ports of a Service, or the NodePorts at a node. If it
  /// stands for several ports of a destination, all are returned.
  public func questions(_ asked: AskedPort, at destination: Endpoint) -> [Flow.Question] {
    switch asked {
    case .question(let question): [question]
    case .name(let name):
      Set(namedPorts(at: destination).filter { $0.name == name }.map(\.port)).sorted().map { .port($0) }
    }
  }

  /// The names of ports at a destination, each once, sorted.
  public func portNames(at destination: Endpoint) -> [String] {
    Set(namedPorts(at: destination).map(\.name)).sorted()
  }

  private func namedPorts(at destination: Endpoint) -> [(name: String, port: TransportPort)] {
    switch destination {
    case .pod(let id):
      (pod(id)?.ports ?? []).compactMap { port in
        port.name.map { ($0, TransportPort(port.transport, port.number)) }
      }
    case .service(let id), .virtualAddress(let id, _):
      (service(id)?.ports ?? []).compactMap { port in
        port.name.map { ($0, TransportPort(port.transport, port.port)) }
      }
    case .node:
      services.flatMap(\.ports).compactMap { port in
        guard let name = port.name, let number = port.nodePort else { return nil }
        return (name, TransportPort(port.transport, number))
      }
    case .external, .address: []
    }
  }
}
