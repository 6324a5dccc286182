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
      let peers = Direction.allCases.filter(policy.isolates.contains).flatMap(policy.rules).flatMap(\.peers.list)
      if peers.contains(where: { pods($0, of: policy)?.isEmpty ?? false }) { return nil }
      var without = left
      without.policies.removeAll { $0.id == policy.id }
      guard let clusters = ComparedClusters(old: left, new: without) else { return nil }
      let difference = PolicyDifference(clusters)
      guard difference.rows.isEmpty, difference.oneSided.values.allSatisfy(\.isEmpty) else { return nil }
      left = without
      return LintFinding(
        .lintAddsNothing, .note, policy,
        "without it every flow has the same verdict: other policies say all that it says",
        remedy: "remove it, or keep it for pods that don't exist yet", fix: [.removePolicy(policy.id)], at: nil)
    }
  }

  /// Services that clients outside use, and whose pods admit nobody from there.
  var services: [LintFinding] {
    cluster.services.compactMap { service -> LintFinding? in
      let ports = service.ports.filter { $0.nodePort != nil }
      guard !ports.isEmpty || !service.translatedAddresses.isEmpty else { return nil }
      let pods = (podsIn[service.id.namespace] ?? []).filter { service.selects($0) && !$0.hostNetwork }
      let closed = pods.filter { pod in
        let isolating = policies(isolating: pod, .ingress)
        return !isolating.isEmpty && !isolating.flatMap(\.ingress).contains(where: Self.admitsOutside)
      }
      guard !closed.isEmpty, closed.count == pods.count else { return nil }
      let names = Set(closed.flatMap { policies(isolating: $0, .ingress) }.map(\.id.description)).sorted()
      return LintFinding(
        .lintNodePort, .warning, object: "service/\(service.id)",
        "is open to the outside (\(service.kind.rawValue)), and policies of its pods (\(names.abridged(to: 3))) admit no address "
          + "outside the cluster",
        remedy: "admit the clients by an ipBlock; with externalTrafficPolicy Cluster, that of the nodes",
        at: service.location
      ).shown(
        from: cluster.externalHosts.first.map { .external($0.name) },
        to: cluster.nodes.first.map { .node($0.name) }, .deny)
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
