public import NetpolModel

/// A hook that a packet is about to pass: of a node, or of a pod that sends on what it receives.
public struct Position: Hashable, Sendable, CustomStringConvertible {
  public let node: String
  /// The pod on that node whose own network namespace has the hook. `nil`: the node's.
  public let pod: PodID?
  public let hook: Hook
  public init(node: String, pod: PodID? = nil, hook: Hook) {
    self.node = node
    self.pod = pod
    self.hook = hook
  }

  /// Whose kernel parameters, rules and connection tracking count here: the node's name or the pod's.
  public var machine: String { pod.map { "\($0)" } ?? node }
  public var description: String { "\(machine) \(hook.rawValue)" }

  func isOnSameMachine(as other: Position) -> Bool { node == other.node && pod == other.pod }
}

extension Topology {
  public enum Next: Hashable, Sendable {
    case position(Position)
    case delivered(to: Endpoint)
    /// No machine has the destination, or the sender has no route to it.
    case noRoute(NoRoute)
  }

  /// Returns where a packet goes first. Marks the packet as bridged if the bridge switches it.
  public func start(_ packet: inout Packet, from endpoint: Endpoint) -> Next {
    if let node = hostNode(of: endpoint) { return .position(Position(node: node.name, hook: .output)) }
    switch endpoint {
    case .pod(let id):
      guard let place = pods[id] else { return .noRoute(.podNotInLab(id)) }
      // A packet that a pod sends to itself never leaves the pod.
      if packet.destination.isLoopback || place.addresses.contains(where: { $0.address == packet.destination }) {
        return .delivered(to: endpoint)
      }
      // The destination is on-link for the pod and on the same bridge: the frame is switched, not routed.
      let onLink = place.addresses.contains { $0.address == packet.source && $0.cidr.contains(packet.destination) }
      if onLink, case .pod(let other)? = owner(of: packet.destination), pods[other]?.node == place.node {
        if !bridgeNetfilter { return arrival(at: other, on: place.node) }
        packet.isBridged = true
      }
      return .position(Position(node: place.node, hook: .prerouting))
    case .external(let name):
      guard let host = externals.first(where: { $0.name == name }) else { return .noRoute(.noSuchHost(name)) }
      if case .pod? = owner(of: packet.destination), !host.routesToPods {
        return .noRoute(.noRouteToPods(host: name))
      }
      if let node = host.routesToServices, serviceNetworks.contains(where: { $0.contains(packet.destination) }) {
        return .position(Position(node: node, hook: .prerouting))
      }
      return hop(packet.destination, from: nil)
    case .node(let name): return .noRoute(.noSuchNode(name))
    case .service, .virtualAddress: return .noRoute(.serviceSends)
    case .address(let address):
      guard let owner = owner(of: address) else { return .noRoute(.nobody(address)) }
      return start(&packet, from: owner)
    }
  }

  /// Returns where the packet, as it is now, goes after a hook that let it pass.
  /// Marks the packet as bridged if the bridge switches it.
  public func next(after position: Position, _ packet: inout Packet) -> Next {
    let at = { Next.position(Position(node: position.node, pod: position.pod, hook: $0)) }
    switch position.hook {
    case .prerouting:
      if !packet.isBridged, isOwn(packet.destination, at: position) { return at(.input) }
      // The forward hook may still reject an untranslated packet, for example to a service without endpoints.
      return at(.forward)
    case .input: return .delivered(to: position.pod.map(Endpoint.pod) ?? .node(position.node))
    case .forward, .output: return at(.postrouting)
    case .postrouting:
      if let pod = position.pod { return start(&packet, from: .pod(pod)) }
      // By way of its interface `lo`.
      if packet.destination.isLoopback
        || node(position.node)?.privateAddresses.contains(packet.destination) == true
      {
        return at(.prerouting)
      }
      if packet.source.isLoopback { return .noRoute(.loopbackSource(packet.source)) }
      if case .pod(let id)? = owner(of: packet.destination), pods[id]?.node == position.node {
        return arrival(at: id, on: position.node)
      }
      return leaving(position.node, packet)
    }
  }

  /// Where a packet goes that a node sends over the underlay, if only to itself.
  private func leaving(_ name: String, _ packet: Packet) -> Next {
    let next = hop(packet.destination, from: name)
    // Another machine that has the address too takes the packet for its own and drops it; others don't know it.
    if case .position(let other) = next, other.node == name { return next }
    guard node(name)?.privateAddresses.contains(packet.source) == true else { return next }
    return .noRoute(.localDNSAnswer(packet.source, node: name))
  }

  private func isOwn(_ address: IPAddress, at position: Position) -> Bool {
    if let pod = position.pod { return owner(of: address) == .pod(pod) }
    return address.isLoopback || node(position.node)?.localAddresses.contains(address) == true
  }

  /// What a packet that a pod receives meets first: the pod's own rules, if it sends on what it receives.
  private func arrival(at pod: PodID, on node: String) -> Next {
    forwarders.contains(pod)
      ? .position(Position(node: node, pod: pod, hook: .prerouting)) : .delivered(to: .pod(pod))
  }

  /// The address of the interface that a node uses towards a destination. Masquerading puts it on a packet.
  public func leavingAddress(of node: String, towards destination: IPAddress) -> IPAddress? {
    sourceAddress(of: .node(node), towards: destination)
  }

  /// The same for the machine that the position belongs to.
  public func leavingAddress(at position: Position, towards destination: IPAddress) -> IPAddress? {
    guard let pod = position.pod else { return leavingAddress(of: position.node, towards: destination) }
    return address(of: .pod(pod), destination.family)
  }

  /// Returns the next hop over the underlay.
  private func hop(_ destination: IPAddress, from sender: String?) -> Next {
    switch owner(of: destination) {
    case .pod(let id)?:
      guard let node = pods[id]?.node else { return .noRoute(.podNotInLab(id)) }
      return .position(Position(node: node, hook: .prerouting))
    case .node(let name)?: return .position(Position(node: name, hook: .prerouting))
    case let outside?: return .delivered(to: outside)
    case nil:
      // The node that announces an address asks no other machine for it.
      guard let node = announcers[destination], node != sender else { return .noRoute(.nobody(destination)) }
      return .position(Position(node: node, hook: .prerouting))
    }
  }
}
