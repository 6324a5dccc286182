internal import Algorithms
internal import Lowering
internal import NetpolModel
internal import Oracle

/// How an enforcer with deviations reads one rule.
extension DeviationModel {
  func admits(
    _ rule: NetworkPolicy.Rule, of policy: NetworkPolicy, _ flow: Flow, _ direction: Direction
  ) -> Bool {
    let ports = PortMatches(
      rule.ports, flow, destination: selectable(flow.destination), exposing(rule, of: policy, direction), deviations)
    guard case .listed(let peers) = rule.peers else {
      if direction == .egress, deviations.contains(.egressNamedPortToAnyone) {
        return ports.matchesAll || ports.matchesNumber || ports.numberIsNamed
      }
      return ports.matchesAll || ports.matchesNumber || ports.matchesName
    }
    let podPeers = peers.filter { if case .pods = $0 { true } else { false } }
    if !podPeers.isEmpty, admitsPeer(podPeers, of: policy, flow, direction) {
      if ports.matchesAll || ports.matchesNumber || ports.matchesName { return true }
      if deviations.contains(.unresolvedNamedPort), ports.hasOnlyUnresolvedNames { return true }
    }
    let blocks = peers.compactMap { if case .block(let block) = $0 { block } else { nil } }
    if !blocks.isEmpty, contains(flow.ends(direction).peer.address, in: blocks) {
      if ports.matchesAll || ports.matchesNumber { return true }
      let leftOut = direction == .egress && deviations.contains(.egressNamedPortToBlock)
      return !leftOut && ports.matchesName
    }
    return false
  }

  func admitsPeer(
    _ peers: [NetworkPolicy.Peer], of policy: NetworkPolicy, _ flow: Flow, _ direction: Direction
  ) -> Bool {
    oracle.admissionOfPeer(by: .init(peers: .listed(peers)), of: policy, flow, direction) != nil
  }

  /// Returns the pods whose containers give the rule's named ports their numbers.
  func exposing(_ rule: NetworkPolicy.Rule, of policy: NetworkPolicy, _ direction: Direction) -> [Pod] {
    guard rule.namesPorts else { return [] }
    return exposed[ExposedKey(policy: policy.id, direction: direction, rule: rule)]
      ?? findExposing(rule, of: policy, direction)
  }

  /// Those of all rules that name ports.
  mutating func findAllExposing() {
    var asked: [(policy: NetworkPolicy, direction: Direction, rule: NetworkPolicy.Rule)] = []
    for policy in cluster.policies {
      for direction in Direction.allCases {
        asked += policy.rules(direction).lazy.filter(\.namesPorts).map { (policy, direction, $0) }
      }
    }
    let (model, questions) = (self, asked)
    let found = concurrentMap(questions.count) { index in
      model.findExposing(questions[index].rule, of: questions[index].policy, questions[index].direction)
    }
    for (one, pods) in zip(asked, found) {
      exposed[ExposedKey(policy: one.policy.id, direction: one.direction, rule: one.rule)] = pods
    }
  }

  struct ExposedKey: Hashable {
    let policy: PolicyID
    let direction: Direction
    let rule: NetworkPolicy.Rule
  }

  private func findExposing(_ rule: NetworkPolicy.Rule, of policy: NetworkPolicy, _ direction: Direction) -> [Pod] {
    let found =
      switch (direction, rule.peers) {
      case (.ingress, _): pods(policy.podSelector, in: [policy.id.namespace])
      case (.egress, .any): pods(LabelSelector(), in: [policy.id.namespace])
      // Peer by peer, each pod once: the order decides which pods' ports share a list.
      case (.egress, .listed(let peers)): Array(peers.flatMap { pods($0, of: policy) }.uniqued(on: \.id))
      }
    return found.filter { !$0.hostNetwork && !$0.phase.isTerminal && $0.podIP != nil }
  }

  private func pods(_ peer: NetworkPolicy.Peer, of policy: NetworkPolicy) -> [Pod] {
    guard case .pods(let scope, let selector) = peer else { return [] }
    switch scope {
    case .own: return pods(selector, in: [policy.id.namespace])
    case .matching(let labels):
      return pods(selector, in: podsIn.keys.filter { labels.matches(oracle.labels(ofNamespace: $0)) })
    }
  }

  /// In the order of the cluster.
  private func pods(_ selector: LabelSelector, in namespaces: [String]) -> [Pod] {
    namespaces.flatMap { podsIn[$0] ?? [] }.sorted().map { cluster.pods[$0] }.filter { selector.matches($0.labels) }
  }

  /// As specified, a union of blocks. With deviations, one lookup over all prefixes of the rule.
  func contains(_ address: IPAddress, in blocks: [NetworkPolicy.IPBlock]) -> Bool {
    let stored = blocks.flatMap { block -> [NetworkPolicy.IPBlock] in
      guard deviations.contains(.wholeIPv6), block.cidr.family == .v6, block.cidr.prefixLength == 0 else {
        return [block]
      }
      return [CIDR("2000::/3"), CIDR("fd00::/8")].compacted().map { .init($0, except: block.except) }
    }
    guard deviations.contains(.longestPrefix) else { return stored.contains { $0.contains(address) } }
    if traits.exceptsComeFirst {
      return stored.contains { $0.cidr.contains(address) }
        && !stored.contains { $0.except.contains { $0.contains(address) } }
    }
    // One table of prefixes: the longest decides, of equal ones the last. A /0 is stored as its two halves.
    var best: (length: Int, matches: Bool) = (-1, false)
    for block in stored {
      for (cidr, matches) in [(block.cidr, true)] + block.except.map({ ($0, false) }) where cidr.contains(address) {
        let length = max(cidr.prefixLength, 1)
        if length >= best.length { best = (length, matches) }
      }
    }
    return best.matches
  }
}

extension NetworkPolicy {
  /// Whether two different blocks, or two different excepts, of one rule and family overlap. An IPv4 /0 counts as two
  /// halves, an IPv6 /0 as 2000::/3 and fd00::/8 only (D10).
  func hasOverlappingBlocks(_ family: IPFamily) -> Bool {
    let halves = { (cidr: CIDR) -> [CIDR] in
      if cidr.prefixLength > 0 { return [cidr] }
      return (cidr.family == .v4 ? ["0.0.0.0/1", "128.0.0.0/1"] : ["2000::/3", "fd00::/8"]).compactMap { CIDR($0) }
    }
    return Direction.allCases.filter(isolates.contains).flatMap(rules).contains { rule in
      let blocks = rule.peers.list.compactMap { if case .block(let block) = $0 { block } else { nil } }
        .filter { $0.cidr.family == family }
      return [blocks.map(\.cidr), blocks.flatMap(\.except)].contains { cidrs in
        Set(cidrs.flatMap(halves)).sorted().adjacentPairs().contains { $0.overlaps($1) }
      }
    }
  }

  /// Whether the annotations of k3s's fork are well-formed but have a rate outside 1 … 10,000 a second or a burst
  /// outside 0 … 10,000.
  var hasUnloadableLogLimit: Bool {
    let burst = annotations["kube-router.io/netpol-nflog-limit-burst"] ?? "10"
    let limit = (annotations["kube-router.io/netpol-nflog-limit"] ?? "10/minute").split(
      separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    let seconds = ["second": 1, "s": 1, "minute": 60, "m": 60, "hour": 3600, "h": 3600, "day": 86400, "d": 86400]
    guard let size = Int(burst), let rate = Int(limit[0]), let unit = limit.count == 1 ? 1 : seconds[String(limit[1])]
    else { return false }
    return rate <= 0 || rate > 10_000 * unit || size < 0 || size > 10_000
  }
}
