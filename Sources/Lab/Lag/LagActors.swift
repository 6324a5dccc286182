internal import Agent
internal import NetpolModel

/// What happens to a pod while packets flow.
public enum LagScenario: String, CaseIterable, Sendable {
  /// The pod gets its address.
  case newPod = "new-pod"
  /// A running pod gets new labels.
  case relabelled
  /// A pod was deleted, and another one already has its address.
  case reusedAddress = "reused-address"
}

/// The pods that a lag run changes, and the events that the API server sends about them. A pod that changes is called a
/// newcomer, even if it existed before.
struct LagActors: Sendable {
  /// The cluster as enforcers see it before the change.
  let before: Cluster
  /// The pods that change. `before` is the pod as enforcers see it at first: `nil` if they don't see it, or if it has
  /// no address yet.
  let newcomers: [Change]

  struct Change: Sendable {
    let before: Pod?
    let after: Pod
  }

  /// The cluster as enforcers see it after the change.
  var after: Cluster {
    var cluster = before
    for change in newcomers {
      if let old = change.before { cluster.pods.removeAll { $0.id == old.id } }
      cluster.pods.removeAll { $0.id == change.after.id }
      cluster.pods.append(change.after)
    }
    cluster.pods.sort { $0.id < $1.id }
    return cluster
  }

  /// The informer events of the change.
  var events: [InformerEvent] {
    newcomers.flatMap { change -> [InformerEvent] in
      guard let old = change.before, old.id != change.after.id else { return [.podUpdated(change.after)] }
      return [.podDeleted(old.id), .podUpdated(change.after)]
    }
  }

  /// The informer events that undo the change.
  var undoing: [InformerEvent] {
    newcomers.flatMap { change -> [InformerEvent] in
      guard let old = change.before else { return [.podDeleted(change.after.id)] }
      return old.id == change.after.id ? [.podUpdated(old)] : [.podDeleted(change.after.id), .podUpdated(old)]
    }
  }
}

extension LagActors {
  /// Actors in a generated world of the asked shape. New pods join the first namespace with the standard set. Pods that
  /// existed before get a namespace whose policies select by label.
  init(_ asked: LagWorld, _ scenario: LagScenario, burst: Int, defaultDeny: Bool) {
    let ownPolicies = scenario == .newPod ? 1 : 3
    // If the world has a suitable pod of its own, that pod is the new pod's peer by label.
    let hasPeer = scenario == .newPod && asked.making(room: 2, 1).hasLocalPod(in: LagWorld.namespace)
    // The world's own pods and policies make room for those of the lab, as far as they can.
    let world = asked.making(room: hasPeer ? 2 : 3, ownPolicies)
    var cluster = world.cluster
    cluster.settings.defaultDeny = defaultDeny
    let outside = "lag-outside"
    let stage = scenario == .newPod ? LagWorld.namespace : "lag-labels"
    cluster.namespaces += [Namespace(name: outside)]
    if scenario != .newPod { cluster.namespaces += [Namespace(name: stage)] }

    func local(_ namespace: String, _ name: String, _ labels: Labels, _ number: Int) -> Pod {
      Pod(
        id: PodID(namespace, name), labels: labels, node: LagWorld.node, podIPs: [world.address(ofNewcomer: number)],
        hostIP: LagWorld.hostIP)
    }
    let podCIDR = NetworkPolicy.IPBlock(CIDR(IPAddress(v4: 0x0a2a_0000), prefixLength: 16))
    let app = { (name: String) in LabelSelector(matchLabels: ["app": name]) }
    cluster.pods += [
      local(outside, "bystander", ["app": "bystander"], 59), local(stage, "by-block", ["app": "by-block"], 58),
    ]
    cluster.policies.append(
      NetworkPolicy(
        id: PolicyID(stage, "allow-pod-cidr"), podSelector: app("by-block"), isolates: [.ingress],
        ingress: [.init(peers: .listed([.block(podCIDR)]))]))
    if !hasPeer { cluster.pods.append(local(stage, "by-label", ["app": "by-label"], 57)) }
    if scenario != .newPod {
      cluster.policies += [
        NetworkPolicy(
          id: PolicyID(stage, "allow-jobs"), podSelector: app("by-label"), isolates: [.ingress],
          ingress: [.init(peers: .listed([.pods(in: .own, matching: app("job"))]))]),
        NetworkPolicy(
          id: PolicyID(stage, "confine-jobs"), podSelector: app("job"), isolates: [.ingress, .egress],
          egress: [.init(peers: .listed([.pods(in: .own, matching: .everything)]))]),
      ]
    }
    cluster.policies.sort { $0.id < $1.id }

    newcomers = (0..<burst).map { number in
      let job = local(stage, "job-\(number)", ["app": "job"], number)
      switch scenario {
      case .newPod: return Change(before: nil, after: job)
      case .relabelled: return Change(before: local(stage, "job-\(number)", ["app": "visitor"], number), after: job)
      case .reusedAddress:
        return Change(before: job, after: local(stage, "visitor-\(number)", ["app": "visitor"], number))
      }
    }
    cluster.pods += newcomers.compactMap(\.before)
    cluster.pods.sort { $0.id < $1.id }
    before = cluster
  }

  /// Actors in a user's world, where the pod is new.
  init(_ cluster: Cluster, newcomer: Pod) {
    var before = cluster
    before.pods.removeAll { $0.id == newcomer.id }
    self.before = before
    newcomers = [Change(before: nil, after: newcomer)]
  }
}
