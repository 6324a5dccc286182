public import NetpolModel

extension Oracle {
  /// Explains one direction only. The verdict is that of `judge(_:_:)`, reached another way: by trying every condition.
  public func explain(_ flow: Flow, _ direction: Direction) -> SideExplanation {
    let (subject, peer) = flow.ends(direction)
    let own = { (standing: SideExplanation.Standing, verdict: Verdict, policies: [PolicyExplanation]) in
      SideExplanation(
        direction: direction, flow: flow, standing: standing, verdict: verdict, policies: policies)
    }
    guard case .pod(let id) = subject.endpoint, let pod = pods[id] else { return own(.notAPod, .allow, []) }
    let known = policies[id.namespace] ?? []
    if pod.hostNetwork {
      let vain = known.filter { $0.podSelector.misses(pod.labels).isEmpty && $0.isolates.contains(direction) }
      return own(
        .hostNetwork, .allow, vain.map { PolicyExplanation(policy: $0, standing: .selectsInVain, rules: []) })
    }
    var inForce: [PolicyExplanation] = []
    var others: [PolicyExplanation] = []
    for policy in known {
      let misses = policy.podSelector.misses(pod.labels)
      if !misses.isEmpty {
        others.append(PolicyExplanation(policy: policy, standing: .notSelecting(misses), rules: []))
      } else if !policy.isolates.contains(direction) {
        let standing = PolicyExplanation.Standing.otherTypes(hasRules: !policy.rules(direction).isEmpty)
        others.append(PolicyExplanation(policy: policy, standing: standing, rules: []))
      } else {
        let rules = policy.rules(direction).enumerated().map { explain($1, at: $0, of: policy, flow, peer) }
        inForce.append(
          PolicyExplanation(policy: policy, standing: .inForce, rules: rules.nearestFirst(\.distance)))
      }
    }
    // Those whose rules are idle say more than those that select other pods.
    others = others.nearestFirst { other in
      switch other.standing {
      case .otherTypes(hasRules: true): 0
      case .notSelecting(let misses): misses.count
      case .otherTypes, .selectsInVain, .inForce: 100
      }
    }
    if inForce.isEmpty { return own(.notIsolated, .allow, others) }
    let explained = inForce.nearestFirst { $0.nearest?.distance ?? .max } + others
    if direction == .ingress, let node = nodeSpeaking(peer.endpoint), node == pod.node {
      return own(.ownNode(node), .allow, explained)
    }
    return own(.isolated, inForce.contains(where: \.admits) ? .allow : .deny, explained)
  }

  private func explain(
    _ rule: NetworkPolicy.Rule, at index: Int, of policy: NetworkPolicy, _ flow: Flow, _ peer: Flow.End
  ) -> RuleExplanation {
    let peers = rule.peers.list.enumerated().map {
      RuleExplanation.Entry(index: $0, misses: misses($1, peer, from: policy.id.namespace))
    }
    let ports = rule.ports.list.enumerated().map { RuleExplanation.Entry(index: $0, misses: misses($1, flow)) }
    return RuleExplanation(
      index: index, rule: rule, peers: peers.nearestFirst(\.misses.count), ports: ports.nearestFirst(\.misses.count))
  }
}

extension Array {
  /// Sorted by distance. Those with equal distances stay in their order.
  fileprivate func nearestFirst(_ distance: (Element) -> Int) -> [Element] {
    enumerated().sorted { (distance($0.element), $0.offset) < (distance($1.element), $1.offset) }.map(\.element)
  }
}
