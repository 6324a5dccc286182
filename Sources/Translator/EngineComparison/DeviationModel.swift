public import Lowering
public import NetpolModel
public import Oracle

/// The policies as an enforcer with some deviations reads them. It uses the API objects only, not the enforcer's rules.
///
/// Without deviations it agrees with the oracle on every flow. With all of a style's it predicts the style's verdict.
public struct DeviationModel: Sendable {
  let oracle: Oracle
  let cluster: Cluster
  public private(set) var traits: EnforcerTraits
  private let services: [NamespacedName: Service]
  private let hasUnloadableLogLimit: Bool
  /// By namespace: the places of its pods in the cluster.
  let podsIn: [String: [Int]]
  /// By rule: the pods whose containers give its named ports their numbers.
  var exposed: [ExposedKey: [Pod]] = [:]

  public init(_ cluster: Cluster, _ oracle: Oracle, _ traits: EnforcerTraits) {
    self.oracle = oracle
    self.cluster = cluster
    self.traits = traits
    services = Dictionary(cluster.services.map { ($0.id, $0) }) { first, _ in first }
    podsIn = Dictionary(grouping: cluster.pods.indices) { cluster.pods[$0].id.namespace }
    hasUnloadableLogLimit = cluster.policies.contains { $0.hasUnloadableLogLimit }
    findAllExposing()
  }

  var deviations: Set<Deviation> { traits.deviations }

  /// The same model without one of its deviations.
  func without(_ deviation: Deviation) -> DeviationModel { making(deviations.subtracting([deviation])) }
  func only(_ deviation: Deviation) -> DeviationModel { making([deviation]) }
  private func making(_ deviations: Set<Deviation>) -> DeviationModel {
    var other = self
    other.traits = traits.making(deviations)
    return other
  }

  /// Whether one policy keeps the enforcer from writing any rules.
  public var enforcesNothing: Bool { hasUnloadableLogLimit && deviations.contains(.abortedSync) }

  public func verdict(_ flow: Flow) -> Verdict { verdict(flow, oracle.resolve(flow)) }

  /// Pods that send packets on to each other's nodes send them around in a loop.
  private static let mostHops = 16

  /// The same for a flow whose services are resolved already. `hops`: how many pods have sent the packet on before.
  func verdict(_ flow: Flow, _ resolved: ResolvedFlow, hops: Int = 0) -> Verdict {
    let first = verdictOnFirstPart(flow, resolved, hops: hops)
    return first == .allow && !isSentOn(resolved, hops: hops) ? .deny : first
  }

  /// Whether the pod that receives the packet sends it on and it arrives there, or doesn't have to send it on.
  private func isSentOn(_ resolved: ResolvedFlow, hops: Int) -> Bool {
    switch resolved.forwarding {
    case nil: true
    case .outOfRange, .loop: false
    case .sent(_, let onward, let next): hops < Self.mostHops && verdict(onward, next, hops: hops + 1) == .allow
    }
  }

  private func verdictOnFirstPart(_ flow: Flow, _ resolved: ResolvedFlow, hops: Int) -> Verdict {
    if resolved.isRefused { return escapesKubeProxy(flow, resolved, hops: hops) ? .allow : .deny }
    if deviations.contains(.dropsUntranslatable), isDroppedUnchanged(flow, resolved) { return .deny }
    // A translated packet is routed, so no bridge hides it.
    let isSwitched = resolved.intermediary == nil
    if cluster.settings.defaultDeny {
      if deviations.contains(.refusesUnprogrammed), meetsDefaultDeny(resolved) { return .deny }
      if deviations.contains(.refusesStrangers), meetsStranger(resolved) { return .deny }
    }
    if resolved.sent.sourceAddress == resolved.sent.destinationAddress {
      // A packet that a pod sends to itself leaves the pod only through a service. One pod chain judges both
      // directions, and the mark of one direction is enough.
      guard !isSwitched, deviations.contains(.hairpin) else { return .allow }
      return allows(resolved.sent, .egress, false) || allows(resolved.sent, .ingress, false) ? .allow : .deny
    }
    if flow.destinationAddress.isMulticast {
      if deviations.contains(.bridgeHidesPackets), isHiddenByBridge(flow) { return .allow }
      let ingress = deviations.contains(.multicastIngress) || allows(resolved.arrived, .ingress, false)
      return ingress && allows(resolved.sent, .egress, false) ? .allow : .deny
    }
    return allows(resolved.sent, .egress, isSwitched) && allows(resolved.arrived, .ingress, isSwitched) ? .allow : .deny
  }

  /// Whether a pod's packet leaves its node although kube-proxy drops or refuses it there, and then passes: the load
  /// balancer's source ranges exclude the pod, its traffic policy Local leaves the node no endpoint, or it has none,
  /// and
  /// the other node has a host port there. kube-router accepts it before kube-proxy's rules see it, and it reaches the
  /// announcing node with another address.
  ///
  /// In nftables mode kube-proxy stops packets in tables of its own, whatever others have accepted.
  private func escapesKubeProxy(_ flow: Flow, _ resolved: ResolvedFlow, hops: Int) -> Bool {
    if cluster.settings.kubeProxy.mode.isNftables { return false }
    if isTakenByOwnNode(flow, resolved) { return true }
    guard let announcer = oracle.nodeOwning(flow.destinationAddress) ?? oracle.announcers[flow.destinationAddress],
      deviations.contains(.acceptsBeforeKubeProxy),
      let pod = selectable(flow.source), hasChain(pod), let node = pod.node.flatMap(node(named:)),
      announcer != node.name, let address = node.address(flow.family), allows(flow, .egress, false)
    else { return false }
    var masqueraded = flow
    masqueraded.source = .node(node.name)
    masqueraded.sourceAddress = address
    let second = oracle.resolve(
      masqueraded, enteringAt: announcer,
      admittingEverySource: admitsBalancers(announcer, of: resolved.intermediary, address))
    return !second.isRefused && !second.isNotChosen && allows(second.arrived, .ingress, false)
      && isSentOn(second, hops: hops)
  }

  /// Whether a service's rules leave the packet's address and port as they are, so that KUBE-PROXY-FIREWALL, which
  /// drops
  /// what they did not translate, drops it. kube-router may accept a pod's packet to its own node before that.
  private func isDroppedUnchanged(_ flow: Flow, _ resolved: ResolvedFlow) -> Bool {
    // nftables mode judges source ranges before the translation.
    guard !cluster.settings.kubeProxy.mode.isNftables, case .service(let id) = resolved.intermediary,
      let service = services[id], let asked = flow.transportPort,
      resolved.arrived.destinationAddress == flow.destinationAddress, resolved.arrived.port == asked.port,
      service.loadBalancerIPs.contains(where: { $0.address == flow.destinationAddress && !$0.isProxied }),
      service.ports.contains(where: { $0.port == asked.port && $0.transport == asked.transport })
    else { return false }
    return service.loadBalancerSourceRanges.contains { $0.family == flow.family } && !isTakenByOwnNode(flow, resolved)
  }

  /// Whether kube-proxy on the node admits the service's own load-balancer addresses, besides its source ranges, and
  /// the
  /// sender has one of them. It does if a range holds the node's own address (`writeServiceToEndpointRules`).
  private func admitsBalancers(_ node: String, of intermediary: Intermediary?, _ sender: IPAddress) -> Bool {
    guard case .service(let id) = intermediary, let service = services[id],
      service.loadBalancerIPs.contains(where: { $0.address == sender && !$0.isProxied }),
      let own = self.node(named: node)?.address(sender.family)
    else { return false }
    return service.loadBalancerSourceRanges.contains { $0.contains(own) }
  }

  /// Whether a pod's packet to an address of a service that its own node has goes to that node itself, although
  /// kube-proxy refuses it.
  private func isTakenByOwnNode(_ flow: Flow, _ resolved: ResolvedFlow) -> Bool {
    let isServices = if case .virtualAddress = flow.destination { true } else { !isExemptInInput(flow) }
    guard deviations.contains(.acceptsBeforeKubeProxy), isServices, let pod = selectable(flow.source), hasChain(pod),
      oracle.nodeOwning(flow.destinationAddress) == pod.node
    else { return false }
    return allows(flow, .egress, false)
  }

  /// Whether a node on the way treats one end as a local pod that it has no chain for yet, because its address is in
  /// the node's pod CIDRs. Packets from the node itself to a pod with a chain are accepted before that, and so are
  /// packets that INPUT exempts.
  func meetsDefaultDeny(_ resolved: ResolvedFlow) -> Bool {
    let (sent, arrived) = (resolved.sent, resolved.arrived)
    if resolved.intermediary == nil, isHiddenByBridge(arrived) { return false }
    if isStrange(sent.source) || isStrange(arrived.destination) { return false }
    let (source, destination) = (place(of: sent.source), place(of: arrived.destination))
    if let source, source.podCIDRs.contains(where: { $0.contains(sent.sourceAddress) }) {
      let isExempt = oracle.nodeSpeaking(sent.destination) == source.name && isExemptInInput(sent)
      let isOwn = oracle.nodeSpeaking(sent.source) != nil && selectable(sent.destination).map(hasChain) == true
      let isKnown = selectable(sent.source).map(hasChain) == true
      if !isKnown, !isExempt, !(isOwn && destination?.name == source.name) { return true }
    }
    if let pod = selectable(arrived.destination) {
      return destination?.podCIDRs.contains { $0.contains(arrived.destinationAddress) } == true && !hasChain(pod)
    }
    return meetsDefaultDenyAtNode(sent, arrived)
  }

  /// The same for a node's own addresses in its pod CIDRs: those of its bridge and tunnel. INPUT takes them for pods
  /// without a chain. Where it is exempt from that, OUTPUT refuses the answer, unless it goes to one of the node's
  /// pods.
  private func meetsDefaultDenyAtNode(_ sent: Flow, _ arrived: Flow) -> Bool {
    guard let name = oracle.nodeOwning(arrived.destinationAddress), oracle.nodeSpeaking(sent.source) != name,
      node(named: name)?.podCIDRs.contains(where: { $0.contains(arrived.destinationAddress) }) == true
    else { return false }
    let isOwnPods = selectable(sent.source).map { $0.node == name && hasChain($0) } == true
    return !isExemptInInput(arrived) || !isOwnPods
  }

  /// Whether a node on the way refuses a pod that it doesn't know (`Cluster.strangers`). Where INPUT exempts what the
  /// pod
  /// sends to its own node, OUTPUT refuses the answer.
  func meetsStranger(_ resolved: ResolvedFlow) -> Bool {
    let (sent, arrived) = (resolved.sent, resolved.arrived)
    if resolved.intermediary == nil, isHiddenByBridge(arrived) { return false }
    if isStrange(arrived.destination) {
      return traits.judgesOutput || oracle.nodeSpeaking(sent.source) != node(of: arrived.destination)
    }
    return isStrange(sent.source)
  }

  private func isStrange(_ endpoint: Endpoint) -> Bool {
    if case .address(let address) = endpoint { cluster.strangers[address] != nil } else { false }
  }

  /// The node of a pod with an address of its own, if only of a stranger.
  private func node(of endpoint: Endpoint) -> String? {
    if case .address(let address) = endpoint { return cluster.strangers[address] }
    return selectable(endpoint)?.node
  }

  private func place(of endpoint: Endpoint) -> Node? {
    (selectable(endpoint)?.node ?? oracle.nodeSpeaking(endpoint)).flatMap(node(named:))
  }

  /// Returns the deviations without which the verdict would be the specification's. Empty if the two verdicts agree.
  public func explanation(of flow: Flow, _ resolved: ResolvedFlow, specified: Verdict) -> [Deviation] {
    guard verdict(flow, resolved) != specified else { return [] }
    let needed = deviations.filter { without($0).verdict(flow, resolved) == specified }
    if !needed.isEmpty { return needed.sorted() }
    let sufficient = deviations.filter { only($0).verdict(flow, resolved) != specified }
    if !sufficient.isEmpty { return sufficient.sorted() }
    // Only combinations lead there: leave out one after the other as long as the rest still does.
    var left = self
    for deviation in deviations.sorted() where left.without(deviation).verdict(flow, resolved) != specified {
      left = left.without(deviation)
    }
    return left.deviations.sorted()
  }

  /// The deviations without which policies of one direction, or of both, would decide otherwise about a flow. At most
  /// one of a few that together make the difference may be left out.
  public func reasons(_ flow: Flow, as direction: Direction?) -> [Deviation] {
    let verdict = { (model: DeviationModel) in
      (direction ?? .egress) != .egress || model.allows(flow, .egress, true)
    }
    let both = { (model: DeviationModel) in
      verdict(model) && ((direction ?? .ingress) != .ingress || model.allows(flow, .ingress, true))
    }
    let wanted = both(making([]))
    let needed = deviations.filter { both(without($0)) == wanted }
    if !needed.isEmpty { return needed.sorted() }
    let sufficient = deviations.filter { both(only($0)) != wanted }
    if !sufficient.isEmpty { return sufficient.sorted() }
    var left = self
    for deviation in deviations.sorted() where both(left.without(deviation)) != wanted {
      left = left.without(deviation)
    }
    return left.deviations.sorted()
  }

  /// Whether policies of one direction let a flow pass that no bridge hides.
  public func allowsRouted(_ flow: Flow, _ direction: Direction) -> Bool { allows(flow, direction, false) }

  /// The node that an end speaks for.
  public func nodeSpeaking(_ endpoint: Endpoint) -> String? { oracle.nodeSpeaking(endpoint) }

  func node(named name: String) -> Node? { oracle.nodes[name] }

  func selectable(_ endpoint: Endpoint) -> Pod? {
    guard case .pod(let id) = endpoint, let pod = oracle.pods[id], !pod.hostNetwork else { return nil }
    return pod
  }

  /// kube-router finds local pods by comparing `status.hostIP` with the addresses of its node.
  public func hasChain(_ pod: Pod) -> Bool {
    guard let hostIP = pod.hostIP, let name = pod.node else { return false }
    return node(named: name)?.addresses.contains(hostIP) ?? false
  }

  /// Returns the node that has a chain for the pod and that packets between the pod and the peer pass. This is the
  /// pod's own node or, by mistake, a pod peer's node if that has the pod's hostIP. Packets to a node itself arrive
  /// there with another node's address.
  func judge(of pod: Pod, towards peer: Endpoint) -> String? {
    let places = [pod.node, selectable(peer)?.node].compactMap { $0.flatMap(node(named:)) }
    return pod.hostIP.flatMap { hostIP in places.first { $0.addresses.contains(hostIP) } }?.name
  }

  /// Whether both pods are on one bridge, in one block of their node, and iptables and nft see none of its frames.
  func isHiddenByBridge(_ flow: Flow) -> Bool {
    guard !cluster.settings.bridgeNetfilter, let name = node(of: flow.source), name == node(of: flow.destination)
    else { return false }
    if flow.destinationAddress.isMulticast { return true }
    return node(named: name)?.podCIDRs.contains {
      $0.contains(flow.sourceAddress) && $0.contains(flow.destinationAddress)
    } ?? false
  }

  /// Whether INPUT exempts a packet to a node: by NodePort or by service range.
  public func isExemptInInput(_ flow: Flow) -> Bool {
    flow.transportPort.map {
      traits.nodePortTransports.contains($0.transport) && cluster.settings.nodePorts.contains($0.port)
    } == true
      || cluster.settings.serviceCIDRs.contains { $0.contains(flow.destinationAddress) }
  }

  private func allows(_ flow: Flow, _ direction: Direction, _ isSwitched: Bool) -> Bool {
    let (subject, peer) = flow.ends(direction)
    if isSwitched, deviations.contains(.bridgeHidesPackets), isHiddenByBridge(flow) { return true }
    guard !enforcesNothing, let pod = selectable(subject.endpoint) else { return true }
    var judge = pod.node
    if deviations.contains(.unknownHostIP) {
      judge = self.judge(of: pod, towards: peer.endpoint)
      if judge == nil { return true }
    }
    let policies = oracle.policies(isolating: pod, direction)
    if policies.isEmpty { return true }
    if let node = oracle.nodeSpeaking(peer.endpoint), node == judge {
      if direction == .ingress { return true }
      if deviations.contains(.ownNodePorts), isExemptInInput(flow) { return true }
    }
    return policies.contains { policy in
      if deviations.contains(.overlappingBlocks), policy.hasOverlappingBlocks(flow.family) { return false }
      if policy.rules(direction).contains(where: { admits($0, of: policy, flow, direction) }) { return true }
      guard deviations.contains(.bothTypePolicy), policy.isolates.count == 2, let other = selectable(peer.endpoint),
        other.id.namespace == policy.id.namespace, policy.podSelector.matches(other.labels)
      else { return false }
      let opposite = direction.opposite
      return policy.rules(opposite).contains { admits($0, of: policy, flow, opposite) }
    }
  }
}
