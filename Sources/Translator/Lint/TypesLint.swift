internal import NetpolModel

/// Which directions policies isolate.
extension Linter {
  func types(_ policy: NetworkPolicy, _ selected: [Pod]) -> [LintFinding] {
    off(policy) + emptyEgress(policy, selected) + both(policy, selected)
  }

  /// Rules of a direction that policyTypes leaves out.
  private func off(_ policy: NetworkPolicy) -> [LintFinding] {
    Direction.allCases.filter { !policy.isolates.contains($0) && !policy.rules($0).isEmpty }.map { direction in
      LintFinding(
        .otherTypes, .error, policy,
        "its \(direction.keyword) rules are not in force: policyTypes names \(direction.opposite.rawValue) alone",
        remedy: "add \(direction.rawValue) to policyTypes, or remove the rules", fix: [.addType(direction, policy.id)],
        at: policy.rules(direction).first?.location ?? policy.typesLocation)
    }
  }

  /// A policy that admits somebody in, and lets its pods send nothing.
  private func emptyEgress(_ policy: NetworkPolicy, _ selected: [Pod]) -> [LintFinding] {
    guard policy.isolates.contains(.egress), policy.egress.isEmpty, policy.isolates.contains(.ingress),
      !policy.ingress.isEmpty, !policy.statesNoEgress
    else { return [] }
    // Where another policy isolates them too, such as a default-deny, somebody means it.
    let silent = selected.filter { !$0.hostNetwork && policies(isolating: $0, .egress).count == 1 }
    if silent.isEmpty { return [] }
    return [
      LintFinding(
        .lintEmptyEgress, .warning, policy,
        "policyTypes names Egress, and no egress rule is there: \(silent.map(\.id.description).abridged(to: 2)) can send nothing, "
          + "not even DNS queries",
        remedy: "remove Egress from policyTypes, or add egress rules; if it is meant, write egress: []",
        at: policy.typesLocation
      ).shown(from: .pod(silent[0].id), to: someone(besides: [silent[0]]), .deny)
    ]
  }

  /// kube-router lets the rules of one direction serve both between the policy's own pods (D1).
  private func both(_ policy: NetworkPolicy, _ selected: [Pod]) -> [LintFinding] {
    let own = selected.filter { !$0.hostNetwork }
    guard policy.isolates.count == 2, own.count > 1, policy.ingress.isEmpty != policy.egress.isEmpty,
      let (first, second) = admittedPair(policy, own)
    else { return [] }
    return [
      LintFinding(
        .lintBothTypes, .note, policy,
        "it isolates \(own.count) pods in both directions and has \(policy.ingress.isEmpty ? "egress" : "ingress") rules alone: "
          + "under kube-router these admit packets between its own pods in both directions (D1)",
        remedy: "write one policy for each direction", at: policy.typesLocation
      ).shown(from: .pod(first.id), to: .pod(second.id), .allow)
    ]
  }

  /// Two of a policy's own pods, of which a rule admits one as the other's peer. `nil`: no rule does.
  private func admittedPair(_ policy: NetworkPolicy, _ own: [Pod]) -> (Pod, Pod)? {
    let ids = Set(own.map(\.id))
    for place in policy.places {
      let peers: [Pod]
      switch place.rule.peers {
      case .any: peers = own
      case .listed(let list):
        peers = list.flatMap { peer -> [Pod] in
          if case .block(let block) = peer { return own.filter { $0.podIPs.contains(where: block.contains) } }
          return pods(peer, of: policy) ?? []
        }
      }
      guard let peer = peers.first(where: { ids.contains($0.id) }), let other = own.first(where: { $0.id != peer.id })
      else { continue }
      return place.direction == .ingress ? (peer, other) : (other, peer)
    }
    return nil
  }
}
