internal import NetpolModel
internal import Oracle

/// Unit edits after which the policies of one end may admit a flow that they refuse now.
struct AllowingEdits {
  private let cluster: Cluster
  private let oracle: Oracle
  private let selectors: PodSelectors
  private let names: Set<String>
  /// All peers of the cluster's policies, each once.
  private let peers: [NetworkPolicy.Peer]
  /// More peers that hold an end are not tried.
  private static let mostOccurring = 6

  init(_ cluster: Cluster, _ oracle: Oracle, _ selectors: PodSelectors) {
    self.cluster = cluster
    self.oracle = oracle
    self.selectors = selectors
    names = Set(cluster.policies.map { $0.id.namespace + $0.id.name })
    var seen: Set<NetworkPolicy.Peer> = []
    peers = cluster.policies.flatMap { $0.ingress + $0.egress }.flatMap(\.peers.list).filter {
      // What selects pods selects at least those with the same labels.
      if case .block = $0 { seen.insert($0).inserted } else { false }
    }
  }

  /// Those of the policies that isolate the end, then new policies, then the removal of what isolates it.
  func edits(for side: SideExplanation) -> [UnitEdit] {
    guard case .pod(let id) = side.subject.endpoint, let pod = cluster.pod(id) else { return [] }
    let peers = candidates(for: side.peer, from: id.namespace)
    let port = side.flow.transportPort.map { NetworkPolicy.PortRule($0.transport, .number($0.port, through: nil)) }
    let isolating = side.policies.filter { $0.standing == .inForce }
    var found: [UnitEdit] = []
    for policy in isolating {
      for rule in policy.rules {
        let place = UnitEdit.RulePlace(policy.policy.id, side.direction, rule.index)
        let admitsPeer = rule.peers.isEmpty || rule.peers.contains(where: \.admits)
        let admitsPort = rule.ports.isEmpty || rule.ports.contains(where: \.admits)
        if admitsPort, !admitsPeer { found += peers.map { .addPeer($0, place) } }
        if admitsPeer, !admitsPort, let port { found.append(.addPort(port, place)) }
      }
    }
    let rules = peers.map { NetworkPolicy.Rule(peers: .listed([$0]), ports: port.map { .listed([$0]) } ?? .all) }
    for policy in isolating { found += rules.map { .addRule($0, side.direction, to: policy.policy.id) } }
    let name = name(of: side, pod)
    for selector in selectors.selectors(of: pod) {
      found += rules.map { rule in
        var policy = NetworkPolicy(id: PolicyID(id.namespace, name), podSelector: selector, isolates: [side.direction])
        if side.direction == .ingress { policy.ingress = [rule] } else { policy.egress = [rule] }
        return .addPolicy(policy)
      }
    }
    for policy in side.policies where policy.standing == .otherTypes(hasRules: true) {
      found.append(.addType(side.direction, policy.policy.id))
    }
    if let only = isolating.first?.policy, isolating.count == 1 {
      if only.isolates.count > 1 { found.append(.removeType(side.direction, only.id)) }
      found.append(.removePolicy(only.id))
    }
    return found
  }

  /// One policy for both ends of a flow inside a namespace, if both refuse it.
  func joint(_ egress: SideExplanation, _ ingress: SideExplanation) -> [UnitEdit] {
    guard case .pod(let source) = egress.subject.endpoint, case .pod(let destination) = ingress.subject.endpoint,
      source.namespace == destination.namespace, let sender = cluster.pod(source),
      let receiver = cluster.pod(destination)
    else { return [] }
    let rule = { (side: SideExplanation) -> NetworkPolicy.Rule? in
      let port = side.flow.transportPort.map { NetworkPolicy.PortRule($0.transport, .number($0.port, through: nil)) }
      return candidates(for: side.peer, from: source.namespace).first.map {
        NetworkPolicy.Rule(peers: .listed([$0]), ports: port.map { .listed([$0]) } ?? .all)
      }
    }
    guard let out = rule(egress), let into = rule(ingress) else { return [] }
    let name = name(of: ingress, receiver)
    return jointSelectors(sender, receiver).map { selector in
      .addPolicy(
        NetworkPolicy(
          id: PolicyID(source.namespace, name), podSelector: selector, isolates: [.ingress, .egress], ingress: [into],
          egress: [out]))
    }
  }

  /// Selectors that select two pods: by what their labels have in common, or by both values of a key.
  private func jointSelectors(_ a: Pod, _ b: Pod) -> [LabelSelector] {
    let (first, second) = (selectors.stableLabels(of: a), selectors.stableLabels(of: b))
    let common = first.filter { second[$0.key] == $0.value }
    let both = first.keys.sorted().compactMap { key -> LabelSelector? in
      guard let one = first[key], let other = second[key], one != other else { return nil }
      return LabelSelector(
        matchLabels: common, matchExpressions: [.init(key: key, operator: .in, values: [one, other].sorted())])
    }
    return both + [LabelSelector(matchLabels: common)]
  }

  /// Peers that hold an end, and few others. Empty for one that no peer can hold.
  private func candidates(for end: Flow.End, from namespace: String) -> [NetworkPolicy.Peer] {
    var found: [NetworkPolicy.Peer] = []
    if case .pod(let id) = end.endpoint, let pod = cluster.pod(id), !pod.hostNetwork {
      let scope: NetworkPolicy.NamespaceScope =
        id.namespace == namespace
        ? .own : .matching(LabelSelector(matchLabels: ["kubernetes.io/metadata.name": id.namespace]))
      found = selectors.selectors(of: pod).map { .pods(in: scope, matching: $0) }
      // A block that somebody has written may hold fewer pods.
      found += peers.filter { if case .block(let block) = $0 { block.contains(end.address) } else { false } }.prefix(
        Self.mostOccurring)
      return found
    }
    return [.block(.init(CIDR(end.address, prefixLength: end.address.family.bitWidth)))]
  }

  /// A free name that is a DNS label: `allow-web-to-db`.
  private func name(of side: SideExplanation, _ subject: Pod) -> String {
    let peer = Self.word(side.peer, cluster)
    let own = subject.owner?.name ?? subject.id.name
    let ends = side.direction == .ingress ? [peer, "to", own] : [own, "to", peer]
    let allowed = (["allow"] + ends).joined(separator: "-").lowercased().map {
      $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-"
    }
    var base = String(allowed.prefix(55))
    while base.hasSuffix("-") { base.removeLast() }
    let namespace = subject.id.namespace
    if !names.contains(namespace + base) { return base }
    return (2...(names.count + 2)).lazy.map { "\(base)-\($0)" }.first { !names.contains(namespace + $0) } ?? base
  }

  private static func word(_ end: Flow.End, _ cluster: Cluster) -> String {
    switch end.endpoint {
    case .pod(let id): cluster.pod(id)?.owner?.name ?? id.name
    case .node(let name): "node-\(name)"
    case .external(let name): name
    case .service(let id): id.name
    case .virtualAddress, .address: "\(end.address)"
    }
  }
}
