internal import NetpolModel

extension ServiceFronts {
  /// Which of a service's endpoints a packet may go to.
  enum Reach {
    /// Traffic policy Cluster, for packets that the node translates. Hints may single out some endpoints for it.
    case cluster(Node?)
    /// Traffic policy Local: only endpoints on the node. Without a node, none.
    case local(Node?)
  }

  /// The endpoints that can receive packets, each address and port once, sorted by address.
  ///
  /// "ready … should be routed traffic". If no endpoint is ready, those that still serve while terminating (KEP-1669).
  /// With traffic policy Local, this is decided among the node's own endpoints, and hints have no part in it.
  func backends(_ front: Front, _ family: IPFamily, within reach: Reach) -> [Backend] {
    let found: [Candidate]
    switch reach {
    case .cluster(let node): found = candidates(front, family, near: node).receiving.advised(to: node)
    case .local(let node):
      found = candidates(front, family, near: node).filter { $0.isOn(node) }.receiving
    }
    return found.map { Backend(address: $0.member.address, port: $0.port, node: $0.member.node, pod: $0.member.pod) }
      .sorted { ($0.address, $0.port) < ($1.address, $1.port) }
  }

  /// Whether an endpoint of the service, on any node, could receive packets.
  func hasBackends(_ front: Front, _ family: IPFamily) -> Bool {
    !candidates(front, family, near: nil).receiving.isEmpty
  }

  /// All entries for the front's port. If several have one address and port, it is undefined which of them counts
  /// ("then the result is undefined", kube-proxy's endpoint slice cache). Here it is one on the given node, and among
  /// equals one that can receive packets.
  private func candidates(_ front: Front, _ family: IPFamily, near node: Node?) -> [Candidate] {
    var kept: [Candidate.Target: Candidate] = [:]
    for slice in slices[front.service.id] ?? [] where slice.family == family {
      for port in slice.ports
      where (port.name ?? "") == (front.port.name ?? "") && port.transport == front.port.transport {
        for member in slice.members {
          let candidate = Candidate(member: member, port: port.port)
          guard let rival = kept[candidate.target] else {
            kept[candidate.target] = candidate
            continue
          }
          let isCloser = candidate.isOn(node) && !rival.isOn(node)
          let isFitter = candidate.isOn(node) == rival.isOn(node) && candidate.state < rival.state
          if isCloser || isFitter { kept[candidate.target] = candidate }
        }
      }
    }
    return Array(kept.values)
  }
}

/// An entry of a slice with one of the slice's ports.
private struct Candidate {
  struct Target: Hashable {
    let address: IPAddress
    let port: UInt16
  }

  enum State: Comparable {
    case ready, leaving, unusable
  }

  let member: EndpointSlice.Member
  let port: UInt16

  var target: Target { Target(address: member.address, port: port) }

  var state: State {
    if member.isReady { return .ready }
    return member.isServing && member.isTerminating ? .leaving : .unusable
  }

  func isOn(_ node: Node?) -> Bool { node != nil && member.node == node?.name }
}

extension [Candidate] {
  /// The ready ones, or else those that leave.
  fileprivate var receiving: [Candidate] {
    let ready = filter { $0.state == .ready }
    return ready.isEmpty ? filter { $0.state == .leaving } : ready
  }

  /// Those that the hints recommend to the node: "forNodes indicates the node(s) this endpoint should be consumed by",
  /// and forZones the zones. Hints count only if every ready endpoint has some, and one of them means this node
  /// ("Safeguards" of Topology Aware Routing). Terminating endpoints are used whatever their hints.
  fileprivate func advised(to node: Node?) -> [Candidate] {
    guard let node, allSatisfy({ $0.state == .ready }) else { return self }
    let scopes: [(hints: KeyPath<EndpointSlice.Member, Set<String>>, name: String?)] = [
      (\.nodeHints, node.name), (\.zoneHints, node.zone),
    ]
    for (hints, name) in scopes {
      guard let name, allSatisfy({ !$0.member[keyPath: hints].isEmpty }) else { continue }
      let meant = filter { $0.member[keyPath: hints].contains(name) }
      if !meant.isEmpty { return meant }
    }
    return self
  }
}
