public import NetpolModel

/// A flow as the policies at its two ends see it, after services have been resolved.
///
/// About rewritten addresses the Kubernetes documentation says: "NetworkPolicy and services: … it is not defined
/// whether this happens before or after NetworkPolicy processing". Here policies judge the real packet: the endpoint
/// that it goes to and, at the receiver, the source address that arrives there.
public struct ResolvedFlow: Hashable, Sendable {
  /// The flow from the original sender to the service's endpoint. Egress policies judge it.
  public var sent: Flow
  /// The flow with the source address that the receiver's node sees. Ingress policies judge it.
  public var arrived: Flow
  /// The service or host port that was resolved. `nil` if the flow goes to neither.
  public var intermediary: Intermediary?
  /// The service has no endpoint for the flow, or refuses the client.
  public var isRefused = false
  /// The client is outside `loadBalancerSourceRanges`.
  public var isOutOfRange = false
  /// What has this port on the node, but does not serve it at the flow's address.
  public var unserved: Intermediary?
  /// The service never sends the flow to the endpoint that it asks about (`Flow.chosen`).
  public var isNotChosen = false
  /// The node whose traffic policy Local leaves no endpoint, although other nodes have some. It drops the packet.
  public var isolatedEntry: String?
  /// The sender as the receiving pod sees it, if its node masquerades the packet after the policies.
  var senderInside: IPAddress?
  /// What the receiving pod does with the packet, if it sends it on.
  public var forwarding: Forwarding?
  /// The node on which NodeLocal DNS answers, whatever service has the address.
  public var localDNS: String?
  /// The packet goes to a ClusterIP that doesn't serve it, and kube-proxy stops it for that.
  public var idleClusterIP: IdleClusterIP?
}

/// What a pod does with a packet to a port that it forwards (`PodForward`).
public indirect enum Forwarding: Hashable, Sendable {
  /// It drops the packet of this sender.
  case outOfRange(PodID, sender: IPAddress)
  /// Pods and nodes have sent the packet on for so long that it goes around in a loop.
  case loop(PodID)
  /// It sends this flow, which is resolved in turn.
  case sent(by: PodID, Flow, ResolvedFlow)
}

extension ResolvedFlow {
  /// The last part of the way, if pods send the packet on.
  public var lastPart: ResolvedFlow {
    if case .sent(_, _, let next) = forwarding { next.lastPart } else { self }
  }
}

extension ResolvedFlow {
  /// A flow on the node that may translate it.
  fileprivate struct Passage {
    let flow: Flow
    let asked: TransportPort
    /// `nil` if there is no such node.
    let entry: String?
    /// The node that has the flow's destination address. For a loopback address, the sender's, if it uses its node's
    /// network.
    let addressed: String?
    /// Whether the sender's own node sees the packet before that, untranslated.
    let isElsewhere: Bool
    let client: Flow.End
    /// Whether the node leaves `loadBalancerSourceRanges` aside.
    let admitsEverySource: Bool
  }
}

extension Oracle {
  /// A packet that more nodes translate goes around in a loop.
  private static let mostHops = 16

  /// Resolves services and host ports from their API objects. Among several endpoints the flow's own choice decides.
  public func resolve(_ flow: Flow) -> ResolvedFlow { resolve(flow, enteringAt: nil) }

  /// `given` is the node that translates the packet. `nil`: the node that follows from the flow. With
  /// `admittingEverySource`, that node leaves `loadBalancerSourceRanges` aside.
  public func resolve(_ flow: Flow, enteringAt given: String?, admittingEverySource: Bool = false) -> ResolvedFlow {
    resolve(flow, enteringAt: given, hops: 0, admittingEverySource: admittingEverySource)
  }

  /// `hops`: how many nodes and pods have translated the packet before.
  private func resolve(
    _ flow: Flow, enteringAt given: String?, hops: Int, admittingEverySource: Bool = false
  ) -> ResolvedFlow {
    var resolved = resolveOnNodes(flow, enteringAt: given, hops: hops, admittingEverySource: admittingEverySource)
    resolved.forwarding = forwarding(resolved, choosing: flow.chosen, hops: hops)
    return resolved
  }

  /// What the pod that receives a flow does with it. `nil` if it doesn't send it on. `chosen` is the endpoint that the
  /// Service behind the pod shall choose.
  private func forwarding(_ resolved: ResolvedFlow, choosing chosen: ServiceTarget?, hops: Int) -> Forwarding? {
    let arrived = resolved.arrived
    guard !resolved.isRefused, !resolved.isNotChosen, let asked = arrived.transportPort,
      !arrived.destinationAddress.isMulticast,
      case .pod(let id) = arrived.destination, let forward = pods[id]?.forward(asked),
      let address = forward.destination(arrived.family)
    else { return nil }
    let sender = resolved.senderInside ?? arrived.sourceAddress
    guard forward.admits(sender) else { return .outOfRange(id, sender: sender) }
    guard hops < Self.mostHops else { return .loop(id) }
    let destination = nodeOwning(address).map(Endpoint.node) ?? .address(address)
    var onward = Flow(
      from: .pod(id), arrived.destinationAddress, to: destination, address, asked.transport, forward.destinationPort)
    if case .service = resolved.intermediary {} else { onward.chosen = chosen }
    return .sent(by: id, onward, resolve(onward, enteringAt: nil, hops: hops + 1))
  }

  private func resolveOnNodes(
    _ flow: Flow, enteringAt given: String?, hops: Int, admittingEverySource: Bool = false
  ) -> ResolvedFlow {
    guard let node = nodeWithLocalDNS(flow) else {
      return stoppingAtIdleClusterIPs(
        translate(flow, enteringAt: given, hops: hops, admittingEverySource: admittingEverySource))
    }
    // The packet is for the node, and a query is never translated. Nor is the node's own health check.
    var local = ResolvedFlow(sent: flow, arrived: flow)
    local.sent.destination = .node(node)
    local.arrived.destination = .node(node)
    let isOwn = nodeSpeaking(flow.source) != nil
    if let asked = flow.transportPort {
      if TransportPort.dns.contains(asked) { local.localDNS = node }
      if local.localDNS != nil || isOwn && asked == TransportPort(.tcp, 8080) { return local }
    }
    let translated = translate(flow, enteringAt: given, hops: hops, admittingEverySource: admittingEverySource)
    if translated.intermediary != nil {
      // iptables mode refuses a ClusterIP without endpoints in FORWARD and OUTPUT, and this packet meets INPUT.
      let isItsClusterIP = flow.transportPort.map { asked in
        fronts.front(flow.destinationAddress, isNodes: false, asked.transport, asked.port)?.way == .clusterIP
      }
      let passes = translated.isRefused && !kubeProxy.mode.isNftables && !isOwn && isItsClusterIP == true
      return passes ? local : translated
    }
    // What the node itself sends is checked before it gets there.
    return isOwn ? stoppingAtIdleClusterIPs(local) : local
  }

  /// The node that the packet meets first, if NodeLocal DNS has bound the packet's destination there.
  private func nodeWithLocalDNS(_ flow: Flow) -> String? {
    if localDNS.isEmpty { return nil }
    var node = nodeSending(flow.source)
    if case .external(let name) = flow.source { node = serviceGateways[name] }
    return node.flatMap { localDNS[$0]?.contains(flow.destinationAddress) == true ? $0 : nil }
  }

  private func translate(
    _ flow: Flow, enteringAt given: String?, hops: Int, admittingEverySource: Bool
  ) -> ResolvedFlow {
    var direct = ResolvedFlow(sent: flow, arrived: flow)
    if flow.destinationAddress.isMulticast {
      // Sending to a group is not sending to a pod. The listener in the group still receives from the sender.
      direct.sent.destination = .address(flow.destinationAddress)
      return direct
    }
    guard let asked = flow.transportPort else { return direct }
    let sender = nodeSending(flow.source)
    // A loopback address is that of the sender's own machine.
    let isAtHome = flow.destinationAddress.isLoopback
    let addressed =
      isAtHome ? nodeSpeaking(flow.source) : nodeOwning(flow.destinationAddress) ?? nodeWithLocalDNS(flow)
    let front = fronts.front(flow.destinationAddress, isNodes: addressed != nil, asked.transport, asked.port)
    // A packet is translated on its sender's node, unless it is sent to a node.
    let named = front?.isNodePort ?? true || sender == nil ? addressed : nil
    let passage = ResolvedFlow.Passage(
      flow: flow, asked: asked,
      entry: given ?? named ?? sender ?? gateway(of: flow, front) ?? announcers[flow.destinationAddress],
      addressed: addressed, isElsewhere: sender != nil && named != nil && named != sender,
      client: client(of: flow, sender, named), admitsEverySource: admittingEverySource)
    direct.unserved =
      front.map { .service($0.service.id) } ?? addressed.flatMap { hostPorts.holder(on: $0, asked) }
    guard let front else { return hostPort(passage) ?? direct }
    let served = resolve(front, passage, hops: hops)
    if let served, isStoppedBeforeHostPorts(served, front, passage.client.endpoint, at: passage.entry) { return served }
    if hostPorts.comeFirst, let taken = hostPort(passage) { return taken }
    let resolved = served ?? direct
    // What no rule of the service translates may still be a host port's. It takes its address off the packet, and so
    // away from the rules that would refuse it.
    let isUntouched = resolved.isRefused && resolved.arrived == flow || resolved.intermediary == nil
    if !isUntouched { return resolved }
    return hostPort(passage) ?? hostPortElsewhere(passage, front, resolved) ?? resolved
  }

  /// What a node sends to another node's address without an endpoint leaves it, since only there it would be refused. A
  /// pod's packet is refused on the pod's own node. nftables mode refuses both there.
  private func hostPortElsewhere(
    _ passage: ResolvedFlow.Passage, _ front: ServiceFronts.Front, _ resolved: ResolvedFlow
  ) -> ResolvedFlow? {
    let source = passage.flow.source
    guard resolved.isRefused, !resolved.isOutOfRange, !front.isNodePort, front.way != .clusterIP,
      !kubeProxy.mode.isNftables, let sender = nodeSpeaking(source), let addressed = passage.addressed,
      passage.entry == sender, addressed != sender
    else { return nil }
    return hostPort(
      ResolvedFlow.Passage(
        flow: passage.flow, asked: passage.asked, entry: addressed, addressed: addressed, isElsewhere: true,
        client: Flow.End(source, passage.flow.sourceAddress), admitsEverySource: false))
  }

  /// The node through which a host outside reaches ClusterIPs, for a flow to one.
  private func gateway(of flow: Flow, _ front: ServiceFronts.Front?) -> String? {
    guard front?.way == .clusterIP, case .external(let name) = flow.source else { return nil }
    return serviceGateways[name]
  }

  /// The sender as the translating node sees it. Packets from pods leave the cluster's networks with their node's
  /// address, also towards other nodes.
  private func client(of flow: Flow, _ sender: String?, _ named: String?) -> Flow.End {
    let own = Flow.End(flow.source, flow.sourceAddress)
    guard let sender, let named, named != sender, isPodLike(flow.source),
      let address = nodes[sender]?.address(flow.family),
      nodes[named]?.addresses.contains(flow.destinationAddress) == true
    else { return own }
    return Flow.End(.node(sender), address)
  }

  /// Resolves a packet to a port of a node that is a pod's host port there. `nil` if it is none.
  private func hostPort(_ passage: ResolvedFlow.Passage) -> ResolvedFlow? {
    let flow = passage.flow
    guard !hostPorts.isEmpty, let entry = passage.entry, passage.addressed == entry,
      let target = hostPorts.target(on: entry, at: flow.destinationAddress, passage.asked)
    else { return nil }
    let port = TransportPort(passage.asked.transport, target.port)
    // Of a pod that sends packets on, the endpoints behind it are asked about.
    if let chosen = flow.chosen, !chosen.isAt(target.address, port: target.port), pods[target.pod]?.forward(port) == nil
    {
      return ResolvedFlow(
        sent: flow, arrived: flow, intermediary: .hostPort(passage.asked, of: target.pod), isNotChosen: true)
    }
    let flowTo = { (from: Flow.End) in
      Flow(
        from: from.endpoint, from.address, to: .pod(target.pod), target.address, passage.asked.transport, target.port)
    }
    return ResolvedFlow(
      sent: passage.isElsewhere ? flow : flowTo(Flow.End(flow.source, flow.sourceAddress)),
      arrived: flowTo(passage.client), intermediary: .hostPort(passage.asked, of: target.pod),
      senderInside: sender(passage.client.address, inside: target, on: entry))
  }

  /// The sender of a packet to a host port as the pod sees it. Where the pod's answer would not come back through the
  /// node, the node takes the sender's place.
  private func sender(_ sender: IPAddress, inside target: HostPorts.Target, on node: String) -> IPAddress {
    let isNeighbour =
      hostPorts.comeFirst
      ? sender == target.address
      : bridgeBlocks[node]?.contains { $0.contains(target.address) && $0.contains(sender) } ?? false
    return sender.isLoopback || isNeighbour ? bridgeAddress(of: node, towards: target.address) ?? sender : sender
  }

  /// Resolves a packet to a service. `nil` if nothing translates it.
  private func resolve(
    _ front: ServiceFronts.Front, _ passage: ResolvedFlow.Passage, hops: Int
  ) -> ResolvedFlow? {
    let (flow, asked, entry, client) = (passage.flow, passage.asked, passage.entry, passage.client)
    let networks = podNetworks(flow.family)
    let isPods = networks.contains { $0.contains(client.address) }
    let policy =
      front.way == .clusterIP ? front.service.internalTrafficPolicy : front.service.externalTrafficPolicy
    let isEntrys = entry != nil && nodeSpeaking(client.endpoint) == entry
    // Packets from pods and from processes of the entry node reach all endpoints, even if the policy is Local.
    // kube-proxy recognises pods by the cluster CIDR, and can have only one.
    let isShortCut =
      front.way != .clusterIP && (isPods && kubeProxyKnowsPods(flow.family) || isEntrys)
      && !(isEntrys && isStoppedBeforeShortCut(front, flow.family, at: entry))
    // Where NodePorts don't answer, packets stay as they are. Yet in iptables mode the node still refuses those to a
    // NodePort for which it has no endpoint.
    let isTranslated = !front.isNodePort || hasNodePorts(flow.destinationAddress, on: passage.addressed)
    if !isTranslated, kubeProxy.mode.isNftables { return nil }
    let isLocal = policy == .local && !(isShortCut && isTranslated)
    // "Traffic through the cloud-provider load-balancer will be restricted to the specified client IPs."
    let ranges = front.service.loadBalancerSourceRanges.filter { $0.family == flow.family }
    let service = Intermediary.service(front.service.id)
    // Without any endpoint iptables mode refuses every client, whatever the ranges say.
    if front.way == .loadBalancer, !passage.admitsEverySource, !ranges.isEmpty,
      !ranges.contains(where: { $0.contains(client.address) }),
      kubeProxy.mode.isNftables || fronts.hasBackends(front, flow.family)
    {
      return ResolvedFlow(sent: flow, arrived: flow, intermediary: service, isRefused: true, isOutOfRange: true)
    }
    let translator = entry.flatMap { nodes[$0] }
    let backends = fronts.backends(front, flow.family, within: isLocal ? .local(translator) : .cluster(translator))
    let backend = backends.first { flow.chosen?.isAt($0.address, port: $0.port) ?? true }
    guard let backend else {
      if !backends.isEmpty {
        return ResolvedFlow(sent: flow, arrived: flow, intermediary: service, isNotChosen: true)
      }
      let isolatedEntry = isLocal && fronts.hasBackends(front, flow.family) ? entry : nil
      return ResolvedFlow(
        sent: flow, arrived: flow, intermediary: service, isRefused: true, isolatedEntry: isolatedEntry)
    }
    if !isTranslated { return nil }
    let target = endpoint(of: backend)
    let isHairpin = backend.address == client.address && masqueradesHairpins(to: backend, at: entry)
    let isMasqueraded =
      switch front.way {
      case .clusterIP:
        kubeProxy.masqueradeAll || !isPods && masqueradesOthers(entry, networks, towards: backend) || isHairpin
      case .external, .loadBalancer:
        policy == .cluster || isEntrys || isHairpin
      }
    var seen = client
    // The entry node masquerades after its own policies, so only another node sees its address.
    if isMasqueraded, let entry, place(of: backend) != entry, let address = address(of: entry, towards: backend) {
      seen = Flow.End(.node(entry), address)
    }
    let flowTo = { (from: Flow.End) in
      Flow(from: from.endpoint, from.address, to: target, backend.address, asked.transport, backend.port)
    }
    var resolved = ResolvedFlow(
      sent: passage.isElsewhere ? flow : flowTo(Flow.End(flow.source, flow.sourceAddress)), arrived: flowTo(seen),
      intermediary: service,
      senderInside: isMasqueraded && seen == client
        ? entry.flatMap { bridgeAddress(of: $0, towards: backend.address) } : nil)
    // An endpoint may be a port of another node that is itself translated there, also if a host-network pod listens to
    // it. Two such services can lead to each other forever.
    if let other = nodeSpeaking(target), other != entry, hops < Self.mostHops {
      let next = resolveOnNodes(resolved.arrived, enteringAt: other, hops: hops + 1)
      if next.intermediary != nil {
        resolved.arrived = next.arrived
        resolved.senderInside = next.senderInside
        resolved.intermediary = next.intermediary
        resolved.isRefused = next.isRefused
        resolved.isOutOfRange = next.isOutOfRange
        resolved.isolatedEntry = next.isolatedEntry
        resolved.idleClusterIP = next.idleClusterIP
      }
    }
    return resolved
  }

  /// Whether the entry node masquerades what does not come from pods: kube-proxy does it if it has a cluster CIDR,
  /// flannel for packets that leave towards one of the pod networks.
  private func masqueradesOthers(_ entry: String?, _ networks: [CIDR], towards backend: ServiceFronts.Backend) -> Bool {
    if kubeProxyKnowsPods(backend.address.family) { return true }
    guard let entry, hasPodNetwork(entry, backend.address.family) else { return false }
    return networks.contains { $0.contains(backend.address) }
  }

  private func endpoint(of backend: ServiceFronts.Backend) -> Endpoint {
    // A slice may still list a pod that has ended: nobody answers at its address.
    if let pod = backend.pod, pods[pod]?.phase.isTerminal != true { return .pod(pod) }
    if let node = nodeOwning(backend.address) { return .node(node) }
    return podOwning(backend.address).map(Endpoint.pod) ?? .address(backend.address)
  }

  /// The node that an endpoint is on, whether or not its slice says so.
  private func place(of backend: ServiceFronts.Backend) -> String? {
    nodeOwning(backend.address) ?? podOwning(backend.address).flatMap { pods[$0]?.node } ?? backend.node
  }

  private func hasNodePorts(_ address: IPAddress, on node: String?) -> Bool {
    kubeProxy.hasNodePorts(at: address, of: node.flatMap { nodes[$0]?.addresses } ?? [])
  }

  /// The source address of packets that a node sends to an endpoint: its end of the tunnel, if both nodes have one.
  private func address(of node: String, towards backend: ServiceFronts.Backend) -> IPAddress? {
    let family = backend.address.family
    let end = { (name: String) in tunnels[name]?.first { $0.family == family } }
    let other = place(of: backend)
    if nodeOwning(backend.address) == nil, let own = end(node), let other, end(other) != nil { return own }
    return nodes[node]?.address(family)
  }

  private func isPodLike(_ endpoint: Endpoint) -> Bool {
    switch endpoint {
    case .pod: true
    case .address(let address): strangers[address] != nil
    case .node, .external, .service, .virtualAddress: false
    }
  }

  /// The node whose kernel sends a flow's packets. `nil` for senders outside the cluster.
  private func nodeSending(_ endpoint: Endpoint) -> String? {
    switch endpoint {
    case .pod(let id): pods[id]?.node
    case .node(let name): name
    case .address(let address): nodeOwning(address) ?? strangers[address]
    case .external, .service, .virtualAddress: nil
    }
  }
}
