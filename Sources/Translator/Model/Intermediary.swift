/// What stands between a sender and an endpoint, and translates the packet's destination.
public enum Intermediary: Hashable, Sendable, CustomStringConvertible {
  case service(NamespacedName)
  /// A port of a node that leads to a pod.
  case hostPort(TransportPort, of: PodID)

  public var description: String {
    switch self {
    case .service(let id): "service \(id)"
    case .hostPort(let port, let pod): "hostPort \(port) of \(pod)"
    }
  }
}
