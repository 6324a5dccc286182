internal import NetpolModel
internal import RuleIR

/// The firewall chain of one local pod, and the jumps to it.
struct PodChain {
  let pod: Pod
  let address: IPAddress
  let chain: Chain
  let comments: KubeRouterVersion.Comments

  func jump(_ side: Side, bridged: Bool = false) -> Rule {
    Rule(
      [.address(side, CIDR(address))] + (bridged ? [.bridged] : []), [.jump(chain.name)],
      comment: side == .destination ? comments.toPod(pod.id, chain.name) : comments.fromPod(pod.id, chain.name),
      origin: Origin(pod: pod.id))
  }
}

extension KubeRouter {
  /// Actionable pods whose hostIP is one of the node's addresses, keyed by podIP (kube-router.md 3.2).
  mutating func localPods() -> [Pod] {
    var seen: [IPAddress: PodID] = [:]
    var pods: [Pod] = []
    for pod in view.pods where PeerResolution.isActionable(pod) {
      guard let hostIP = pod.hostIP, view.nodeAddresses.contains(hostIP), let podIP = pod.podIP else {
        if pod.node == view.node {
          findings.append(
            Finding(
              .pod(pod.id, pod.location),
              "its hostIP \(pod.hostIP.map(\.description) ?? "(none)") is no address of node \(view.node): "
                + "kube-router gives it no chain and enforces nothing for it"))
        }
        continue
      }
      if let first = seen[podIP] {
        findings.append(
          Finding(
            .pod(pod.id, pod.location),
            "has the address \(podIP) of \(first) too: kube-router gives one of the two a chain, at random each sync"))
        continue
      }
      seen[podIP] = pod.id
      pods.append(pod)
    }
    return pods
  }

  /// Pod chains of one family, in the order of pods (kube-router.md 2.6).
  func podChains(_ pods: [Pod], _ policies: [ResolvedPolicy], _ family: IPFamily) -> [PodChain] {
    var policiesOf: [IPAddress: [ResolvedPolicy]] = [:]
    for policy in policies {
      for key in policy.targetKeys { policiesOf[key, default: []].append(policy) }
    }
    return pods.compactMap { pod in
      guard let address = pod.address(family), let key = pod.podIP else { return nil }
      let name = KubeRouterNames.podChain(pod.id, version: view.versionStamp)
      let rules = podRules(pod, CIDR(address), policiesOf[key] ?? [], family)
      return PodChain(
        pod: pod, address: address, chain: Chain(name: name, rules: rules), comments: version.comments)
    }
  }

  private func podRules(_ pod: Pod, _ address: CIDR, _ policies: [ResolvedPolicy], _ family: IPFamily) -> [Rule] {
    let comments = version.comments
    let origin = Origin(pod: pod.id)
    var rules = [
      Rule([], [.jump(Self.common)], comment: comments.common, origin: origin),
      Rule(
        [.address(.destination, address), .local(.source)], [.accept], comment: comments.localNode, origin: origin),
    ]
    for direction in [Direction.egress, .ingress]
    where !policies.contains(where: { $0.policy.isolates.contains(direction) }) {
      rules.append(
        Rule(
          [.address(direction.subjectSide, address)], [.jump(Self.defaultChain)],
          comment: comments.defaultDirection(direction), origin: Origin(pod: pod.id, direction: direction)))
    }
    for policy in policies {
      let directions = policy.policy.isolates
      // A policy of both types is jumped to without an address: its rules serve either direction (D1).
      let match = directions.count == 1 ? directions.map { Match.address($0.subjectSide, address) } : []
      rules.append(
        Rule(
          match, [.jump(KubeRouterNames.policyChain(policy.id, version: view.versionStamp, family))],
          comment: comments.jumpToPolicy(policy.id),
          origin: Origin(policy: policy.id, pod: pod.id, location: policy.policy.location)))
    }
    let refused = Match.mark(Self.allowed, negated: true)
    return rules + [
      Rule(
        [refused, .limit(NFLOGLimit.standard)], [.log(group: Self.logGroup)], comment: comments.podLog(pod.id),
        origin: origin),
      Rule([refused], [.reject(.portUnreachable)], comment: comments.podReject(pod.id), origin: origin),
      Rule([], [.setMark(Mark(0, mask: Self.allowed.mask))], origin: origin),
      Rule([], [.setMark(Self.passed)], comment: comments.accepted, origin: origin),
    ]
  }
}

extension Direction {
  /// The side of a packet on which this direction's selected pod stands.
  var subjectSide: Side { self == .ingress ? .destination : .source }
  var peerSide: Side { self == .ingress ? .source : .destination }
}
