public import NetpolModel

/// What happened to a packet at one position.
public enum Passage: Hashable, Sendable {
  /// Let through, perhaps changed.
  case passed(Packet)
  case stopped
}

/// The path of a flow's first packet.
public struct Walk: Hashable, Sendable {
  public enum End: Hashable, Sendable {
    case delivered(to: Endpoint)
    case stopped(at: Position)
    case noRoute(NoRoute)
  }
  public let positions: [Position]
  public let end: End

  public init(positions: [Position], end: End) {
    self.positions = positions
    self.end = end
  }

  /// `nil` if no packet was sent that a rule could judge.
  public var verdict: Verdict? { end.verdict }
}

extension Topology {
  /// Whether a pod answers a neighbour on its bridge directly although the request was translated on its way.
  private func loses(replyOf first: Packet, of source: Endpoint, from receiver: Endpoint, _ packet: Packet) -> Bool {
    guard !bridgeNetfilter, packet.destination != first.destination, packet.source == first.source,
      case .pod(let to) = receiver, case .pod(let from) = source, let place = pods[to],
      place.node == pods[from]?.node
    else { return false }
    return place.addresses.contains { $0.address == packet.destination && $0.cidr.contains(packet.source) }
  }
}

extension Topology {
  /// Why the reply doesn't pass the node that translated the request, and so is not translated back. `nil` if it does.
  private func bypass(
    of translator: String, _ first: Packet, from source: Endpoint, to receiver: Endpoint, _ packet: Packet
  ) -> NoRoute? {
    guard packet.source == first.source else { return nil }
    let machine = { (endpoint: Endpoint) -> String? in
      if case .pod(let id) = endpoint, let place = self.pods[id] { return place.node }
      return self.hostNode(of: endpoint)?.name
    }
    guard machine(source) != translator, machine(receiver) != translator else { return nil }
    return .replyPastTranslator(of: receiver, to: packet.source, past: translator)
  }
}

extension Walk.End {
  /// `nil` if no packet was sent that a rule could judge.
  public var verdict: Verdict? {
    switch self {
    case .delivered: .allow
    case .stopped: .deny
    case .noRoute: nil
    }
  }

  /// Why no packet was sent, or `nil` if one was.
  public var noRoute: NoRoute? { if case .noRoute(let why) = self { why } else { nil } }
}

extension Topology {
  /// Follows the flow's first packet from hook to hook, and asks `judge` at each hook what the rules there do with it.
  ///
  /// A packet has no mark when it arrives at another machine, because marks exist within one network namespace only.
  public func walk(_ flow: Flow, asking judge: (Position, Packet) throws -> Passage) rethrows -> Walk {
    if flow.destinationAddress.isMulticast { return try walkToGroup(flow, asking: judge) }
    return try walk(Packet(first: flow), from: flow.source, asking: judge)
  }

  /// Who gets the packet next: its receiver, or a pod that sends it on. `nil` if it is still on its way there.
  private func receiver(_ next: Next, after position: Position) -> Endpoint? {
    switch next {
    case .delivered(let endpoint): endpoint
    case .position(let other) where position.pod == nil: other.pod.map(Endpoint.pod)
    case .position, .noRoute: nil
    }
  }

  /// Whether an endpoint is a pod behind the bridge of the position's node.
  private func isOnBridge(_ endpoint: Endpoint, of position: Position) -> Bool {
    guard position.pod == nil, case .pod(let id) = endpoint else { return false }
    return pods[id]?.node == position.node
  }

  /// Follows a packet that is not sent to a multicast group from hook to hook.
  public func walk(
    _ first: Packet, from source: Endpoint, asking judge: (Position, Packet) throws -> Passage
  ) rethrows -> Walk {
    // A pod that sends a packet on is the sender of what leaves it.
    var (first, source) = (first, source)
    if case .address(let address) = source, let owner = owner(of: address) { source = owner }
    var packet = first
    var positions: [Position] = []
    /// The node that translated the destination last.
    var translator: String?
    var next = start(&packet, from: source)
    // Bounded: a packet enters each node at most once in a topology without loops, and from each pod that sends it on
    // once more.
    while positions.count <= 4 * (nodes.count + 1) + 12 * forwarders.count {
      switch next {
      case .delivered(let endpoint): return Walk(positions: positions, end: .delivered(to: endpoint))
      case .noRoute(let why): return Walk(positions: positions, end: .noRoute(why))
      case .position(let position):
        if let last = positions.last, !last.isOnSameMachine(as: position) {
          packet.mark = 0
          // A pod's packet may just have been switched by the bridge.
          if last.pod == nil { packet.isBridged = false }
          packet.hasNewDestination = false
        }
        positions.append(position)
        guard case .passed(let passed) = try judge(position, packet) else {
          return Walk(positions: positions, end: .stopped(at: position))
        }
        if passed.destination != packet.destination, position.pod == nil { translator = position.node }
        let isNewlyTranslated = passed.destination != packet.destination
        packet = passed
        // br_netfilter hands a pod's packet back to the bridge if its new destination is behind it
        // (br_nf_pre_routing_finish).
        if isNewlyTranslated, position.hook == .prerouting, bridgeNetfilter, isOnBridge(source, of: position),
          let owner = owner(of: packet.destination), isOnBridge(owner, of: position)
        {
          packet.isBridged = true
        }
        if let pod = position.pod, position.hook == .postrouting {
          // Replies to a new sender end here.
          (first, source, translator) = (packet, .pod(pod), nil)
        }
        next = self.next(after: position, &packet)
        guard let receiver = receiver(next, after: position) else { continue }
        if let translator, let why = bypass(of: translator, first, from: source, to: receiver, packet) {
          return Walk(positions: positions, end: .noRoute(why))
        }
        if loses(replyOf: first, of: source, from: receiver, packet) {
          return Walk(positions: positions, end: .noRoute(.replyOnBridge(of: receiver)))
        }
      }
    }
    return Walk(positions: positions, end: .noRoute(.loop))
  }
}
