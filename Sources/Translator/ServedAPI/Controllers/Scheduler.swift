internal import Text

extension ServedCluster {
  /// Gives a pod the node with the fewest pods, of those with as many the first by name.
  mutating func bind(_ key: ObjectKey, _ now: APITime) {
    guard let state = controllers.index.pods[key], state.node.isEmpty, state.isActive, var pod = store.json(key),
      pod["spec"]?["schedulingGates"]?.array.isEmpty ?? true
    else { return }
    if let node = controllers.index.emptiestNode(for: pod) {
      pod[["spec", "nodeName"]] = .string(node)
      pod.setCondition("PodScheduled", true, now)
    } else {
      let message = "0/\(controllers.index.nodes.count) nodes are available"
      pod.setCondition("PodScheduled", false, reason: "Unschedulable", message: message, now)
      controllers.waiting.insert(key)
    }
    if pod["status"]?["phase"] == nil { pod[["status", "phase"]] = "Pending" }
    put(key, pod, now)
  }

  mutating func retryAfterChangeOfNodes(_ now: APITime) {
    for pod in controllers.waiting.sorted() { controllers.enqueue(.bind(pod), now) }
    for workload in controllers.index.daemonSets.sorted() {
      guard let uid = controllers.index.belongings[workload]?.uid else { continue }
      let size = controllers.index.dependents[uid]?.count ?? 0
      controllers.enqueue(.workload(workload), size: size, now)
    }
  }
}

extension ObjectIndex {
  fileprivate func emptiestNode(for pod: JSON) -> String? {
    nodes.values.filter { $0.takes(pod) }.map { (podsByNode[$0.name]?.count ?? 0, $0.name) }.min { $0 < $1 }?.1
  }
}
