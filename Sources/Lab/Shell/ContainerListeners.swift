internal import Apply
internal import Kernel
internal import NetpolModel
internal import Network
internal import Path
internal import Text

/// What listens in the pods: every port that a container names. Each says which pod it is.
struct ContainerListeners {
  private(set) var ports: [AnsweringListeners.Port] = []

  init(_ cluster: Cluster, _ fabric: Fabric, _ names: ClusterNamesTable) {
    for pod in cluster.pods where !pod.phase.isTerminal {
      guard let namespace = fabric.namespace(of: .pod(pod.id)) else { continue }
      let addresses = addresses(of: pod, fabric)
      for port in pod.ports {
        let own = Self.answer(pod.id, port, names)
        guard let own else { continue }
        ports += addresses.map { AnsweringListeners.Port(in: namespace, on: $0(port.number), own) }
      }
    }
  }

  /// Where a pod listens: at every address of its own network. On its node's network, at each of the node's addresses,
  /// because a datagram's answer must come from the address that was asked.
  private func addresses(of pod: Pod, _ fabric: Fabric) -> [(UInt16) -> ProbeAddress] {
    guard let node = fabric.topology.hostNode(of: .pod(pod.id)) else {
      return Set(pod.podIPs.map(\.family)).sorted().map { family in
        { AnsweringListeners.Port.everywhere(family.netlink, $0) }
      }
    }
    let families = Set(node.addresses.map(\.family))
    return (node.localAddresses.sorted() + families.map(IPAddress.loopback)).filter { families.contains($0.family) }
      .map { address in { ProbeAddress(address.bytes, port: $0) } }
  }

  /// `nil` for SCTP, which not every kernel has.
  private static func answer(
    _ pod: PodID, _ port: ContainerPort, _ names: ClusterNamesTable
  ) -> AnsweringListeners.Port.Answer? {
    let name = pod.description.cut(to: 600).onOneLine
    switch port.transport {
    case .tcp:
      let body = "\(name) TCP/\(port.number)\n"
      return .toConnection(
        Array(
          ("HTTP/1.0 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: \(body.utf8.count)\r\n"
            + "Connection: close\r\n\r\n\(body)").utf8))
    case .udp:
      let isNameServer = port.number == 53
      return .toDatagram { datagram in
        if isNameServer, let answer = NameAnswer.answer(to: datagram, names.addresses(of:)) { return answer }
        return Array("\(name) UDP/\(port.number): ".utf8) + datagram
      }
    case .sctp: return nil
    }
  }
}
