internal import NetpolModel
internal import PolicyDiff

/// Policies beside others, and Services in front of them.
extension Linter {
  /// More than these are not compared with the cluster without each of them.
  private static let mostCompared = 100
  private static let mostPods = 400

  /// Policies without which every flow has the same verdict, also if those told before are gone.
  var redundant: [LintFinding] {
    guard cluster.policies.count <= Self.mostCompared, cluster.pods.count <= Self.mostPods else { return [] }
    var left = cluster
    return cluster.policies.compactMap { policy -> LintFinding? in
      // Told already, or nobody knows whom it selects.
      if pods(policy.podSelector, in: policy.id.namespace).allSatisfy(\.hostNetwork) { return nil }
      let peers = policy.places.flatMap(\.rule.peers.list)
      if peers.contains(where: { pods($0, of: policy)?.isEmpty ?? false }) { return nil }
      var without = left
      without.policies.removeAll { $0.id == policy.id }
      let saying = without.policies.first { $0.saysAll(of: policy) }
      // What isolates and admits nobody is the base on which others stand, and for the pods to come too.
      if policy.admitsNobody, saying.map(\.admitsNobody) != true { return nil }
      // Other pods that the input lacks may be its peers, and nobody knows the addresses of those that it has.
      let blocks = (policiesIn[policy.id.namespace] ?? []).flatMap(\.places).flatMap(\.rule.peers.list).filter(
        \.isBlock)
      if saying == nil, (peers + blocks).contains(where: { !isKnown($0, of: policy) }) { return nil }
      guard let clusters = ComparedClusters(old: left, new: without) else { return nil }
      let difference = PolicyDifference(clusters)
      guard difference.rows.isEmpty, difference.oneSided.values.allSatisfy(\.isEmpty) else { return nil }
      left = without
      if let saying {
        return LintFinding(
          .lintAddsNothing, .note, policy, "policy \(saying.id) says all that it says, for all pods to come too",
          remedy: "remove it", fix: [.removePolicy(policy.id)], at: nil)
      }
      return LintFinding(
        .lintAddsNothing, .note, policy,
        "without it every flow between the pods of the input has the same verdict: "
          + (isShared(policy, left) ? "other policies say what it says" : "it admits what is admitted without it"),
        remedy: "keep it for pods that don't exist yet, or remove it", at: nil)
    }
  }

  /// Whether the input has all pods that a peer selects, or the addresses of those in a block.
  private func isKnown(_ peer: NetworkPolicy.Peer, of policy: NetworkPolicy) -> Bool {
    switch peer {
    case .block(let block): !isAssumed(block.cidr)
    case .pods(.own, _): knowsPods(of: policy.id.namespace)
    case .pods(.matching(let labels), _):
      (isWholeCluster && unknown.isEmpty || labels.namesNamespaces)
        && namespaces.filter { labels.matches($0.value) }.keys.allSatisfy(knowsPods)
    }
  }

  /// Whether another policy isolates a pod that this one does, in the same direction.
  private func isShared(_ policy: NetworkPolicy, _ cluster: Cluster) -> Bool {
    let own = pods(policy.podSelector, in: policy.id.namespace)
    return cluster.policies.contains { other in
      other.id != policy.id && other.id.namespace == policy.id.namespace
        && !other.isolates.isDisjoint(with: policy.isolates)
        && own.contains { other.podSelector.matches($0.labels) }
    }
  }

  /// Services that clients outside use, and whose pods admit nobody from there.
  var services: [LintFinding] {
    cluster.services.compactMap { service -> LintFinding? in
      let ports = service.ports.filter { $0.nodePort != nil }
      guard !ports.isEmpty || !service.translatedAddresses.isEmpty, !isForPodsAlone(service) else { return nil }
      let pods = (podsIn[service.id.namespace] ?? []).filter { service.selects($0) && !$0.hostNetwork }
      let closed = pods.filter { pod in
        let isolating = policies(isolating: pod, .ingress)
        return !isolating.isEmpty && !isolating.flatMap(\.ingress).contains(where: Self.admitsOutside)
      }
      guard !closed.isEmpty, closed.count == pods.count else { return nil }
      let names = Set(closed.flatMap { policies(isolating: $0, .ingress) }.map(\.id.description)).sorted()
      return LintFinding(
        .lintNodePort, .warning, object: "service/\(service.id)",
        "takes clients from outside (\(service.kind.rawValue)\(service.clients)), and policies of its pods "
          + "(\(names.abridged(to: 3))) admit no address outside the cluster",
        remedy: "admit the clients by an ipBlock; with externalTrafficPolicy Cluster, that of the nodes",
        at: service.location
      ).shown(
        from: cluster.externalHosts.first.map { .external($0.name) },
        to: cluster.nodes.first.map { .node($0.name) }, .deny)
    }
  }

  /// Whether its clients can only be pods.
  private func isForPodsAlone(_ service: Service) -> Bool {
    let pods = cluster.nodes.flatMap(\.podCIDRs)
    return service.kind == .loadBalancer && !service.loadBalancerSourceRanges.isEmpty
      && service.loadBalancerSourceRanges.allSatisfy { range in
        pods.contains { $0.contains(range.network) && $0.prefixLength <= range.prefixLength }
      }
  }

  /// Whether a rule may admit packets of clients outside, or of nodes that forward them.
  private static func admitsOutside(_ rule: NetworkPolicy.Rule) -> Bool {
    switch rule.peers {
    case .any: true
    case .listed(let peers): peers.contains { if case .block = $0 { true } else { false } }
    }
  }
}

extension Service {
  /// `, from 192.0.2.0/24`.
  fileprivate var clients: String {
    loadBalancerSourceRanges.isEmpty
      ? "" : ", from \(loadBalancerSourceRanges.map(\.description).abridged(to: 2)) alone"
  }
}

extension NetworkPolicy.Peer {
  fileprivate var isBlock: Bool { if case .block = self { true } else { false } }
}

extension NetworkPolicy {
  /// Whether it isolates pods and has no rule.
  fileprivate var admitsNobody: Bool { isolates.allSatisfy { rules($0).isEmpty } }

  /// Whether it isolates the pods that another does, and admits what the other admits, whichever pods there are.
  fileprivate func saysAll(of other: NetworkPolicy) -> Bool {
    let selects = podSelector.isEverything || podSelector.requirements == other.podSelector.requirements
    guard id.namespace == other.id.namespace, selects, isolates.isSuperset(of: other.isolates) else { return false }
    let own = unlocated
    return Direction.allCases.filter(other.isolates.contains).allSatisfy { direction in
      own.rules(direction).contains(Rule())
        || other.unlocated.rules(direction).allSatisfy(own.rules(direction).contains)
    }
  }
}
