internal import NetpolModel

/// The pods' host ports, from API objects alone.
struct HostPorts: Sendable {
  struct Target {
    let pod: PodID
    let address: IPAddress
    let port: UInt16
  }

  private struct Key: Hashable {
    let node: String
    let port: TransportPort
  }

  /// Whether they come before services' addresses and NodePorts. The API doesn't say; it depends on who registers later.
  let comeFirst: Bool
  private var claims: [Key: [(pod: Pod, port: HostPort)]] = [:]

  init(_ cluster: Cluster) {
    comeFirst = cluster.settings.hostPorts == .portmapNftables
    for pod in cluster.pods where !pod.phase.isTerminal && !pod.hostNetwork {
      guard let node = pod.node else { continue }
      for port in pod.hostPorts { claims[Key(node: node, port: port.port), default: []].append((pod, port)) }
    }
  }

  var isEmpty: Bool { claims.isEmpty }

  /// The first pod with that port on a node, at whatever address.
  func holder(on node: String, _ port: TransportPort) -> Intermediary? {
    claims[Key(node: node, port: port)]?.first.map { .hostPort(port, of: $0.pod.id) }
  }

  /// The pod behind a port of a node. "If specified, this must be a valid port number … Most containers do not need
  /// this", says the API, and nothing of which addresses besides `hostIP` are meant: every one of the node's.
  func target(on node: String, at address: IPAddress, _ port: TransportPort) -> Target? {
    for claim in claims[Key(node: node, port: port)] ?? [] where claim.port.isOpen(at: address) {
      guard let own = claim.pod.address(address.family) else { continue }
      return Target(pod: claim.pod.id, address: own, port: claim.port.containerPort)
    }
    return nil
  }
}
