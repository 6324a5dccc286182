internal import NetpolModel
internal import RuleIR

/// The firewall chain of one local pod, with the matches and comments of the jumps to it.
struct PodChain {
  let pod: Pod
  let address: IPAddress
  let chain: Chain
  let comments: KubeRouterVersion.Comments

  func match(_ side: Side, bridged: Bool) -> [Match] {
    [.address(side, CIDR(address))] + (bridged ? [.bridged] : [])
  }

  func comment(_ side: Side) -> String {
    side == .destination ? comments.toPod(pod.id, chain.name) : comments.fromPod(pod.id, chain.name)
  }
}

extension KubeRouter {
  /// Actionable pods whose hostIP is one of the node's addresses, one for each podIP.
  mutating func localPods() -> [Pod] {
    var seen: [IPAddress: PodID] = [:]
    var pods: [Pod] = []
    for pod in view.pods where pod.isActionable {
      guard let hostIP = pod.hostIP, view.nodeAddresses.contains(hostIP), let podIP = pod.podIP else {
        if pod.node == view.node {
          findings.append(
            Finding(
              .pod(pod.id, pod.location),
              "its hostIP \(pod.hostIP.map(\.description) ?? "(none)") is not an address of node \(view.node): "
                + "kube-router gives it no chain and enforces no policy for it"))
        }
        continue
      }
      if let first = seen[podIP] {
        findings.append(
          Finding(
            .pod(pod.id, pod.location),
            "shares the address \(podIP) with \(first): in each sync, kube-router gives one of them a chain at random"))
        continue
      }
      seen[podIP] = pod.id
      pods.append(pod)
    }
    for twins in Dictionary(grouping: pods, by: { $0.id.namespace + $0.id.name }).values where twins.count > 1 {
      for twin in twins {
        findings.append(
          Finding(
            .pod(twin.id, twin.location),
            "shares its chain with another pod of the node, because kube-router joins namespace and name without a "
              + "separator: \(twins.map(\.id.description).sorted().joined(separator: ", "))"))
      }
    }
    return pods
  }

  /// Pod chains of one family, in the order of pods. A failed policy still isolates its pods, but their chains don't
  /// jump to it.
  func podChains(_ pods: [Pod], _ policies: [ResolvedPolicy], failed: Set<PolicyID>, _ family: IPFamily) -> [PodChain] {
    var policiesOf: [IPAddress: [ResolvedPolicy]] = [:]
    for policy in policies {
      for key in policy.targetKeys { policiesOf[key, default: []].append(policy) }
    }
    return pods.compactMap { pod in
      guard let address = pod.address(family), let key = pod.podIP else { return nil }
      let chain = Chain(
        name: KubeRouterNames.podChain(pod.id, version: view.versionStamp),
        rules: podRules(pod, CIDR(address), policiesOf[key] ?? [], failed: failed, family),
        comment: version.comments.onObjects?.podChain(pod.id), origin: Origin(pod: pod.id))
      return PodChain(pod: pod, address: address, chain: chain, comments: version.comments)
    }
  }

  /// Returns each chain once. Pods whose namespace and name join to the same text share a chain name: iptables keeps
  /// the rules of both, nft only those of the last.
  func chains(of pods: [PodChain]) -> [Chain] {
    var index: [ChainName: Int] = [:]
    var chains: [Chain] = []
    for pod in pods {
      guard let twin = index[pod.chain.name] else {
        index[pod.chain.name] = chains.count
        chains.append(pod.chain)
        continue
      }
      switch version.backend {
      case .iptables: chains[twin].rules += pod.chain.rules
      case .nftables: chains[twin].rules = pod.chain.rules
      }
    }
    return chains
  }

  private func podRules(
    _ pod: Pod, _ address: CIDR, _ policies: [ResolvedPolicy], failed: Set<PolicyID>, _ family: IPFamily
  ) -> [Rule] {
    let comments = version.comments
    let origin = Origin(pod: pod.id)
    let first = [
      rule([], .jump(Self.common), comments.common, origin: origin),
      rule(
        [.local(.source), .address(.destination, address)], .accept, comments.localNode, origin: origin),
    ]
    let defaults = [Direction.egress, .ingress].filter { direction in
      !policies.contains { $0.policy.isolates.contains(direction) }
    }.map { direction in
      rule(
        [.address(direction.subjectSide, address)], .jump(Self.defaultChain), comments.defaultDirection(direction),
        origin: Origin(pod: pod.id, direction: direction))
    }
    let jumps = policies.filter { !failed.contains($0.id) }.map { policy in
      let directions = policy.policy.isolates
      // The jump to a policy of both types matches no address, so its rules serve both directions (D1).
      return rule(
        directions.count == 1 ? directions.map { Match.address($0.subjectSide, address) } : [],
        .jump(KubeRouterNames.policyChain(policy.id, version: view.versionStamp, family)),
        comments.jumpToPolicy(policy.id),
        origin: Origin(policy: policy.id, pod: pod.id, location: policy.policy.location))
    }
    return first + (version.backend == .iptables ? defaults + jumps : jumps + defaults) + lastRules(pod, origin)
  }

  /// Logs and rejects packets that no policy has marked, and marks the rest as passed.
  private func lastRules(_ pod: Pod, _ origin: Origin) -> [Rule] {
    let comments = version.comments
    let refused: Match =
      version.backend == .iptables ? .mark(Self.allowed, negated: true) : .mark(Mark(0, mask: Self.allowed.mask))
    return [
      Rule(
        [refused, .limit(NFLOGLimit.standard)], [.log(group: Self.logGroup)], comment: comments.podLog(pod.id),
        origin: origin),
      rule([refused], .reject(.portUnreachable), comments.podReject(pod.id), origin: origin),
      Rule([], [.setMark(Mark(0, mask: Self.allowed.mask))], comment: comments.chains.clearMark, origin: origin),
      Rule([], [.setMark(Self.passed)], comment: comments.accepted, origin: origin),
    ]
  }
}

extension Direction {
  /// The side of a packet that the selected pod is on in this direction.
  var subjectSide: Side { self == .ingress ? .destination : .source }
  var peerSide: Side { self == .ingress ? .source : .destination }
}
