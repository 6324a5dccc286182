public import NetpolModel

/// NetworkPolicy v1 evaluated on API objects alone: what the specification says about a flow, and why.
///
/// The oracle has no rules, chains or enforcers. Quoted sentences come from the API reference (networking.k8s.io/v1)
/// and from the Network Policies page of the Kubernetes documentation.
public struct Oracle: Sendable {
  package let pods: [PodID: Pod]
  let namespaceLabels: [String: Labels]
  /// Those whose labels the input doesn't have.
  let assumedNamespaces: Set<String>
  let policies: [String: [NetworkPolicy]]
  let fronts: ServiceFronts
  let hostPorts: HostPorts
  package let nodes: [String: Node]
  /// By node: the addresses of its ends of the tunnel between nodes. Empty without an overlay.
  let tunnels: [String: [IPAddress]]
  /// The node that answers outside the cluster for an address of a service.
  package let announcers: [IPAddress: String]
  let kubeProxy: KubeProxyFlags
  /// By node: the addresses at which NodeLocal DNS answers there.
  let localDNS: [String: [IPAddress]]
  /// By address: the node of a pod that no API object describes. No selector selects it, and no policy isolates it.
  let strangers: [IPAddress: String]
  /// By external host: the node through which it reaches the service CIDRs.
  let serviceGateways: [String: String]
  /// By node: the networks of its bridge.
  let bridgeBlocks: [String: [CIDR]]
  private let podNetworks: [IPFamily: [CIDR]]
  /// The nodes with pods outside their pod CIDRs, by family.
  private let nodesWithStrays: [IPFamily: Set<String>]
  private let nodeAddresses: [IPAddress: String]
  private let podAddresses: [IPAddress: PodID]

  public init(_ cluster: Cluster) {
    pods = Dictionary(cluster.pods.map { ($0.id, $0) }) { first, _ in first }
    namespaceLabels = Dictionary(cluster.namespaces.map { ($0.name, $0.labels) }) { first, _ in first }
    assumedNamespaces = Set(cluster.namespaces.filter(\.isAssumed).map(\.name))
    policies = Dictionary(grouping: cluster.policies.sorted { $0.id < $1.id }, by: \.id.namespace)
    fronts = ServiceFronts(cluster)
    hostPorts = HostPorts(cluster)
    nodes = Dictionary(cluster.nodes.map { ($0.name, $0) }) { first, _ in first }
    tunnels = cluster.settings.overlay == .vxlan ? Self.tunnels(cluster) : [:]
    announcers = cluster.announcements.compactMapValues(\.node)
    kubeProxy = cluster.settings.kubeProxy
    localDNS = cluster.localDNS
    strangers = cluster.strangers
    serviceGateways = Dictionary(
      cluster.externalHosts.compactMap { host in host.routesToServices.map { (host.name, $0) } }
    ) { first, _ in first }
    let strays = cluster.strayPodAddresses
    var networks: [IPFamily: [CIDR]] = [:]
    var nodesWithStrays: [IPFamily: Set<String>] = [:]
    for family in IPFamily.allCases {
      networks[family] = cluster.podNetworks(family, strays)
      nodesWithStrays[family] = Set(strays.filter { $0.value.contains { $0.family == family } }.keys)
    }
    podNetworks = networks
    self.nodesWithStrays = nodesWithStrays
    // Those of the Node objects first, then those of its bridges and of its ends of the tunnel.
    let bridges = cluster.bridgeBlocks
    bridgeBlocks = bridges
    let tunnels = tunnels
    let own = cluster.nodes.map { node in
      (node.name, (bridges[node.name] ?? []).map { $0.network.advanced(by: 1) } + (tunnels[node.name] ?? []))
    }
    nodeAddresses = Dictionary(
      (cluster.nodes.map { ($0.name, $0.addresses) } + own).flatMap { name, addresses in addresses.map { ($0, name) } }
    ) { first, _ in first }
    podAddresses = Dictionary(
      cluster.pods.filter { !$0.hostNetwork && !$0.phase.isTerminal }.flatMap { pod in pod.podIPs.map { ($0, pod.id) } }
    ) { first, _ in first }
  }

  /// As with flannel: the network address of a node's first pod CIDR, in each family in which the node has an address. A
  /// pod CIDR counts if it can be the network of the node's bridge.
  private static func tunnels(_ cluster: Cluster) -> [String: [IPAddress]] {
    let taken = Set(cluster.nodes.flatMap(\.addresses) + cluster.externalHosts.flatMap(\.addresses))
    let blocks = cluster.bridgeBlocks
    let pairs = cluster.nodes.map { node in
      let ends = IPFamily.allCases.filter { node.address($0) != nil }.compactMap { family in
        blocks[node.name]?.first { $0.family == family }?.network
      }
      return (node.name, ends.filter { $0.bits != 0 && !taken.contains($0) })
    }
    return Dictionary(pairs) { first, _ in first }
  }

  /// The networks of all pods of a family.
  func podNetworks(_ family: IPFamily) -> [CIDR] { podNetworks[family] ?? [] }
  /// kube-proxy can be told of one network only.
  func kubeProxyKnowsPods(_ family: IPFamily) -> Bool {
    kubeProxy.knowsClusterCIDR && podNetworks(family).count == 1
  }
  /// Whether flannel has a network on the node: a pod CIDR, or pods outside of them.
  func hasPodNetwork(_ node: String, _ family: IPFamily) -> Bool {
    nodes[node]?.podCIDRs.contains { $0.family == family } == true || nodesWithStrays[family]?.contains(node) == true
  }
  /// The node that has an address: one of its object, of a bridge or of a tunnel.
  public func nodeOwning(_ address: IPAddress) -> String? { nodeAddresses[address] }
  /// The address with which a node sends to its own pods.
  func bridgeAddress(of node: String, towards address: IPAddress) -> IPAddress? {
    let blocks = bridgeBlocks[node]?.filter { $0.family == address.family } ?? []
    let block = blocks.first { $0.contains(address) } ?? blocks.first
    return block?.network.advanced(by: 1) ?? nodes[node]?.address(address.family)
  }
  /// The labels of a namespace, or only its name label if it has no object.
  package func labels(ofNamespace name: String) -> Labels { namespaceLabels[name] ?? Namespace(name: name).labels }
  func podOwning(_ address: IPAddress) -> PodID? { podAddresses[address] }

  /// "For a connection from a source pod to a destination pod to be allowed, both the egress policy on the source pod
  /// and the ingress policy on the destination pod need to allow the connection."
  ///
  /// The specification doesn't cover echo requests. Here only rules without ports can admit them.
  public func judge(_ flow: Flow) -> Judgement { judge(resolve(flow)) }

  /// The same for a flow whose services are already resolved. If a pod sends the packet on, every part of its way must
  /// be allowed.
  public func judge(_ resolved: ResolvedFlow) -> Judgement {
    let first = judgeFirstPart(resolved)
    guard first.verdict == .allow, let forwarding = resolved.forwarding else { return first }
    switch forwarding {
    case .outOfRange(let pod, let sender):
      return Judgement(.deny, because: first.because + [.outOfForwardRanges(pod, sender: sender)])
    case .loop(let pod): return Judgement(.deny, because: first.because + [.forwardingLoop(pod)])
    case .sent(let pod, let onward, let next):
      let rest = judge(next)
      // Told once, not for each time around.
      if rest.because.contains(where: { if case .forwardingLoop = $0 { true } else { false } }) {
        return Judgement(.deny, because: first.because + [.forwardingLoop(pod)])
      }
      let forwarded = Reason.forwarded(
        by: pod, to: onward.destinationAddress, port: onward.port ?? 0, as: onward.sourceAddress)
      return Judgement(rest.verdict, because: first.because + [forwarded] + rest.because)
    }
  }

  private func judgeFirstPart(_ resolved: ResolvedFlow) -> Judgement {
    let (sent, arrived) = (resolved.sent, resolved.arrived)
    var translation: [Reason] = []
    switch resolved.idleClusterIP {
    case .otherPort(let service)?: return Judgement(.deny, because: [.unservedClusterIP(service)])
    case .unallocated(let address)?: return Judgement(.deny, because: [.unallocatedClusterIP(address)])
    case nil: break
    }
    if let intermediary = resolved.intermediary {
      if resolved.isRefused, case .service(let service) = intermediary {
        if resolved.isOutOfRange { return Judgement(.deny, because: [.outOfSourceRanges(service)]) }
        let elsewhere = resolved.isolatedEntry.map { Reason.noLocalEndpoints(service, on: $0) }
        return Judgement(.deny, because: [elsewhere ?? .noEndpoints(service)])
      }
      translation.append(
        .translated(intermediary, to: arrived.destination, port: arrived.port ?? 0, seenFrom: arrived.sourceAddress))
    }
    if let node = resolved.localDNS { translation.append(.localDNS(on: node, sent.destinationAddress)) }
    if let unserved = resolved.unserved, resolved.intermediary == nil {
      translation.append(.unserved(unserved, sent.destinationAddress))
    }
    // "A Pod cannot block access to itself."
    if sent.sourceAddress == sent.destinationAddress, nodeSpeaking(sent.source) == nil {
      return Judgement(.allow, because: translation + [.sameEndpoint])
    }
    var reasons = translation
    for (flow, direction) in [(sent, Direction.egress), (arrived, .ingress)] {
      let side = judge(flow, direction)
      if side.verdict == .deny {
        // Another node translates the packet, if it gets there.
        if direction == .egress, let other = resolved.intermediary,
          sent.destinationAddress != arrived.destinationAddress
        {
          translation = [.notYetTranslated(other, sent.destinationAddress, port: sent.port ?? 0)]
        }
        return Judgement(.deny, because: translation + side.because)
      }
      reasons += side.because
    }
    return Judgement(.allow, because: reasons)
  }

  /// Judges one direction only: by the policies on the source, or by those on the destination.
  public func judge(_ flow: Flow, _ direction: Direction) -> Judgement {
    let (subject, peer) = flow.ends(direction)
    guard let pod = selectablePod(subject.endpoint) else {
      return Judgement(.allow, because: [.notIsolated(direction)])
    }
    let isolating = policies(isolating: pod, direction)
    if isolating.isEmpty { return Judgement(.allow, because: [.notIsolated(direction)]) }
    // "Traffic to and from the node where a Pod is running is always allowed." Read here as traffic towards the pod:
    // what a pod sends to its node is judged by its egress policies.
    if direction == .ingress, let node = nodeSpeaking(peer.endpoint), node == pod.node {
      return Judgement(.allow, because: [.ownNode(direction)])
    }
    for policy in isolating {
      for (index, rule) in policy.rules(direction).enumerated() {
        if let admission = admission(by: rule, of: policy, flow, direction) {
          return Judgement(
            .allow, because: [.admitted(direction, by: policy.id, rule: index, peer: admission.peer)])
        }
      }
    }
    var because = [Reason.isolated(direction, by: isolating.map(\.id))]
    if case .pod(let id) = peer.endpoint, pods[id]?.hostNetwork == true { because.append(.hostNetworkPeer(id)) }
    return Judgement(.deny, because: because)
  }
}
