internal import NetpolModel
internal import Oracle

extension OpenedPairs {
  /// Counts the senders that the receivers' ingress would admit, by the specification, if rules that admit the newcomer
  /// by a selector had the pod network as an ipBlock instead. `nil` if no selector admits it.
  init?(_ plan: LagPlan) {
    let cluster = plan.actors.after
    guard let stream = plan.streams.first(where: { $0.change == .opens && $0.isOutgoing }),
      case .pod(let target) = stream.flow.destination, case .pod(let newcomer) = stream.flow.source,
      let block = cluster.clusterCIDR(stream.flow.family), let receiver = cluster.pod(target),
      let sender = cluster.pod(newcomer)
    else { return nil }
    var changed = cluster
    var policies: [PolicyID] = []
    for index in changed.policies.indices {
      let policy = changed.policies[index]
      guard policy.id.namespace == target.namespace, policy.isolates.contains(.ingress),
        policy.podSelector.matches(receiver.labels)
      else { continue }
      for rule in policy.ingress.indices {
        let peers = policy.ingress[rule].peers.list
        guard peers.contains(where: { $0.selects(sender, policy.id.namespace, cluster) }) else { continue }
        let kept = peers.filter { !$0.selects(sender, policy.id.namespace, cluster) }
        changed.policies[index].ingress[rule].peers = .listed(kept + [.block(.init(block))])
        if policies.last != policy.id { policies.append(policy.id) }
      }
    }
    if policies.isEmpty { return nil }
    let decided = changed.policies.filter { policies.contains($0.id) }
    let pods = cluster.pods.filter { !$0.phase.isTerminal && !$0.hostNetwork && $0.address(stream.flow.family) != nil }
    let receivers = pods.filter { pod in
      decided.contains { $0.id.namespace == pod.id.namespace && $0.podSelector.matches(pod.labels) }
    }
    let (before, after) = (Oracle(cluster), Oracle(changed))
    var counts = (open: 0, openWithBlock: 0, all: 0)
    for receiver in receivers {
      guard let to = receiver.address(stream.flow.family) else { continue }
      for sender in pods where sender.id != receiver.id {
        guard let from = sender.address(stream.flow.family) else { continue }
        let flow = Flow(
          from: .pod(sender.id), from, to: .pod(receiver.id), to, stream.flow.question)
        counts.all += 1
        let wasOpen = before.judge(flow, .ingress).verdict == .allow
        if wasOpen { counts.open += 1 }
        if wasOpen || after.judge(flow, .ingress).verdict == .allow { counts.openWithBlock += 1 }
      }
    }
    self.init(
      policies: policies, open: counts.open, openWithBlock: counts.openWithBlock, all: counts.all, block: block)
  }
}

extension NetworkPolicy.Peer {
  /// Whether a selector of this peer matches the pod.
  fileprivate func selects(_ pod: Pod, _ namespace: String, _ cluster: Cluster) -> Bool {
    guard case .pods(let scope, let selector) = self, selector.matches(pod.labels) else { return false }
    return switch scope {
    case .own: pod.id.namespace == namespace
    case .matching(let labels): labels.matches(cluster.labels(ofNamespace: pod.id.namespace))
    }
  }
}
