internal import Algorithms
internal import Enforcement
internal import EngineComparison
internal import Evaluator
internal import Lowering
internal import NetpolModel
internal import Oracle
internal import Path
internal import RuleIR
internal import StandingLab

/// A packet that is not the first of its flow, and what must happen to it according to the API objects and to what
/// docs/deviations.md says of such packets (D5, D13).
enum FollowUpPacket {
  /// Sent to a multicast group.
  case toGroup(Flow, Fate)
  /// Sent along its whole path.
  case sent(Packet, from: Endpoint, Fate)
  /// At the forward hook of a node, possibly marked by another program.
  case forwarded(Packet, at: Position, isAccepted: Bool)

  enum Fate {
    case delivered
    case stopped
    /// Stopped, and the sender is notified.
    case refused
    /// Stopped, and nobody is notified.
    case dropped
  }

  /// Marks that decide, after the policies' rules, what is masqueraded: those of kube-proxy and of the portmap plugin.
  static let othersMarks: UInt32 = 0x6000

  func isAsForetold(in enforced: EnforcedCluster) -> Bool {
    switch self {
    case .toGroup(let flow, let fate): return fate.is(that: enforced.walk(flow))
    case .sent(let packet, let source, let fate): return fate.is(that: enforced.walk(packet, from: source))
    case .forwarded(let packet, let position, let isAccepted):
      guard let outcome = enforced.outcome(of: packet, at: position) else { return false }
      if outcome.verdict != .accept { return !isAccepted }
      return isAccepted && (outcome.packet.mark ^ packet.mark) & Self.othersMarks == 0
    }
  }
}

extension FollowUpPacket.Fate {
  fileprivate func `is`(that walk: EvaluatedWalk) -> Bool {
    switch self {
    case .delivered: return walk.verdict == .allow
    case .stopped: return walk.verdict == .deny
    case .refused: if case .reject? = walk.stop { return true } else { return false }
    case .dropped: return walk.stop == .drop
    }
  }
}

/// The packets that follow from flows, in one cluster and style.
struct FollowUpPackets {
  private let plan: LabPlan
  private let reading: DeviationModel
  /// The reading for pings: rules with ports don't apply to them.
  private let withoutPorts: DeviationModel
  private let traits: EnforcerTraits

  init(_ plan: LabPlan) {
    self.plan = plan
    traits = plan.enforced.style.traits
    reading = DeviationModel(plan.cluster, plan.comparer.oracle, traits)
    var portless = plan.cluster
    for index in portless.policies.indices {
      portless.policies[index].ingress.removeAll { $0.ports != .all }
      portless.policies[index].egress.removeAll { $0.ports != .all }
    }
    withoutPorts = DeviationModel(portless, Oracle(portless), traits)
  }

  /// Takes only flows that do what they should. A mistake there would be another matter.
  func all(of flows: [Flow]) -> [FollowUpPacket] {
    var packets: [FollowUpPacket] = []
    var pairs: Set<[IPAddress]> = []
    var senders: Set<IPAddress> = []
    for (index, flow) in flows.enumerated() where flow.isPlain {
      let resolved = plan.comparer.oracle.resolve(flow)
      let walk = plan.enforced.walk(flow)
      guard let verdict = walk.verdict, verdict == reading.verdict(flow), resolved.intermediary == nil,
        resolved.forwarding == nil,
        !resolved.isRefused
      else { continue }
      if pairs.insert([flow.sourceAddress, flow.destinationAddress]).inserted {
        packets += pings(flow) + solicitations(flow) + strayErrors(flow)
      }
      if !walk.hooks.contains(where: \.isTranslated) { packets += followers(flow, verdict) }
      if senders.insert(flow.sourceAddress).inserted { packets += groups(flow) }
      // There are many more of these, so only every third flow is used.
      if index % 3 == 0 { packets += marked(walk) }
    }
    return packets
  }

  /// An allowed connection goes on in both directions. A packet that belongs to no connection is dropped if its flow is
  /// denied, and kube-router's pod chains drop it in any case. Nobody is notified, because that might end somebody's
  /// connection.
  private func followers(_ flow: Flow, _ verdict: Verdict) -> [FollowUpPacket] {
    var first = Packet(first: flow)
    switch verdict {
    case .allow:
      guard case .transport(let transport, let source, let destination) = first.payload else { return [] }
      first.state = .established
      let reply = Packet(
        from: first.destination, to: first.source, .transport(transport, source: destination, destination: source),
        state: .established)
      var stray = first
      stray.state = .invalid
      return [.sent(first, from: flow.source, .delivered), .sent(reply, from: flow.destination, .delivered)]
        + (meetsChain(flow) ? [.sent(stray, from: flow.source, .dropped)] : [])
    case .deny:
      // The last rules of kube-router's default-deny answer everything.
      if plan.cluster.settings.defaultDeny, traits.dropsStrays { return [] }
      var stray = first
      stray.state = .invalid
      return [.sent(first, from: flow.source, .refused), .sent(stray, from: flow.source, .dropped)]
    }
  }

  /// A packet from a pod to a multicast group at a NodePort, which the pod's node and others can listen to. The
  /// destination is not an address of the node.
  private func groups(_ flow: Flow) -> [FollowUpPacket] {
    if plan.cluster.settings.defaultDeny { return [] }
    guard flow.family == .v4, case .pod(let source) = flow.source, let node = plan.topology.pods[source]?.node else {
      return []
    }
    let group = Flow(
      from: flow.source, flow.sourceAddress, to: .node(node), IPAddress(v4: 0xe000_00fb), .udp,
      plan.cluster.settings.nodePorts.first)
    return [.toGroup(group, reading.verdict(group) == .allow ? .delivered : .stopped)]
  }

  /// kube-router lets pings pass. `compiled` does so where all ports are admitted (D5).
  private func pings(_ flow: Flow) -> [FollowUpPacket] {
    if traits.letsPingsPass, plan.cluster.settings.defaultDeny { return [] }
    let ping = Packet(
      first: Flow(from: flow.source, flow.sourceAddress, to: flow.destination, flow.destinationAddress, .echo))
    let isAllowed = traits.letsPingsPass || withoutPorts.verdict(flow) == .allow
    return [.sent(ping, from: flow.source, isAllowed ? .delivered : .stopped)]
  }

  /// Conntrack does not track these (UNTRACKED), and no rule matches that state.
  private func solicitations(_ flow: Flow) -> [FollowUpPacket] {
    guard flow.family == .v6, case .pod(let source) = flow.source, let node = plan.topology.pods[source]?.node,
      self.node(of: flow.destination) == node
    else { return [] }
    let types: [UInt8] = [135, 136]
    return types.map {
      .sent(
        Packet(from: flow.sourceAddress, to: flow.destinationAddress, .icmp(type: $0)), from: flow.source, .delivered)
    }
  }

  /// ICMP errors of connections that conntrack doesn't have pass with `compiled`, except where kube-proxy drops them in
  /// its forward chain.
  private func strayErrors(_ flow: Flow) -> [FollowUpPacket] {
    guard !traits.dropsStrays, flow.family == .v4, case .pod(let source) = flow.source,
      let node = plan.topology.hostNode(of: flow.destination), plan.topology.pods[source]?.node == node.name
    else { return [] }
    let types: [UInt8] = [3, 11, 12]
    return types.map {
      .sent(
        Packet(from: flow.sourceAddress, to: flow.destinationAddress, .icmp(type: $0), state: .invalid),
        from: flow.source, .delivered)
    }
  }

  /// A mark of another program changes no verdict, and is the same after the rules as before them.
  private func marked(_ walk: EvaluatedWalk) -> [FollowUpPacket] {
    let marks: [UInt32] = [0, 0x2000, 0x4000, 0x6000]
    let hooks = walk.hooks.filter {
      $0.position.hook == .forward && $0.packet.mark & FollowUpPacket.othersMarks == 0
    }
    return product(hooks, marks).map { hook, mark in
      var packet = hook.packet
      packet.mark |= mark
      return .forwarded(packet, at: hook.position, isAccepted: hook.outcome.verdict == .accept)
    }
  }

  /// Whether kube-router has a chain for the pod, in an enforced cluster.
  private func hasChain(_ endpoint: Endpoint) -> Bool {
    guard case .pod(let id) = endpoint, let place = plan.topology.pods[id], let pod = plan.cluster.pod(id),
      let hostIP = pod.hostIP, plan.topology.node(place.node)?.addresses.contains(hostIP) == true
    else { return false }
    // An aborted iptables sync leaves no chains (D15).
    let lowered = plan.enforced.lowered[place.node]
    return lowered?.ruleset.backend == .nftables || lowered?.refused == nil
  }

  /// Whether packets pass a pod's chain. Those to NodePorts of the pod's own node don't (D8).
  private func meetsChain(_ flow: Flow) -> Bool {
    guard traits.dropsStrays else { return false }
    let (source, destination) = (node(of: flow.source), node(of: flow.destination))
    guard case .pod = flow.source, source == destination else {
      return hasChain(flow.source) || hasChain(flow.destination)
    }
    if plan.topology.hostNode(of: flow.destination) != nil { return false }
    return plan.topology.bridgeNetfilter && (hasChain(flow.source) || hasChain(flow.destination))
  }

  private func node(of endpoint: Endpoint) -> String? {
    if case .pod(let id) = endpoint, let place = plan.topology.pods[id] { return place.node }
    return plan.topology.hostNode(of: endpoint)?.name
  }
}

extension EvaluatedWalk.AtHook {
  fileprivate var isTranslated: Bool {
    outcome.packet.source != packet.source || outcome.packet.destination != packet.destination
  }
}

extension Flow {
  /// Whether the destination is neither a service nor a multicast group.
  var isPlain: Bool {
    if destinationAddress.isMulticast { return false }
    switch destination {
    case .pod, .node, .external, .address: return true
    case .service, .virtualAddress: return false
    }
  }
}
