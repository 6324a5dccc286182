internal import Text

extension ServedCluster {
  /// ReplicaSets and ReplicationControllers.
  mutating func reconcileReplicas(_ workload: Workload, _ now: APITime) {
    let pods = states(claimPods(of: workload, now)).filter(\.state.isActive)
    if workload.isActive {
      let missing = workload.replicas - pods.count
      for _ in 0..<min(max(missing, 0), Controllers.burst) { makePod(of: workload, now) }
      if missing < 0 {
        let surplus = pods.sorted { isDispensable($0, before: $1) }.prefix(min(-missing, Controllers.burst))
        for pod in surplus { delete(pod.key, now) }
      }
      if abs(missing) > Controllers.burst {
        controllers.enqueue(.workload(workload.key), now + Controllers.reaction)
      }
    }
    let left = states(controllers.index.pods(of: workload.uid)).map(\.state).filter(\.isActive)
    let ready = left.count(where: \.isReady)
    let labels = workload.template.labels
    let labeled = left.count { pod in labels.allSatisfy { pod.labels[$0.key] == $0.value } }
    putStatus(
      workload.key,
      [
        "replicas": .integer(left.count), "fullyLabeledReplicas": labeled.unlessZero,
        "readyReplicas": ready.unlessZero, "availableReplicas": ready.unlessZero,
      ], now)
  }

  /// Which pod goes first when there are too many (`controller.ActivePodsWithRanks`): without a node, not running, not
  /// ready, the newest.
  private func isDispensable(
    _ a: (key: ObjectKey, state: PodState), before b: (key: ObjectKey, state: PodState)
  ) -> Bool {
    let rank = { (pod: (key: ObjectKey, state: PodState)) in
      (
        pod.state.node.isEmpty ? 0 : 1, pod.state.phase == "Running" ? 1 : 0, pod.state.isReady ? 1 : 0,
        -(controllers.index.ages[pod.key] ?? 0)
      )
    }
    return rank(a) < rank(b)
  }
}
