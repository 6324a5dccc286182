internal import NetpolModel
internal import Text

extension ServedCluster {
  mutating func reconcileDaemonSet(_ workload: Workload, _ now: APITime) {
    let pods = states(claimPods(of: workload, now))
    let counts = Dictionary(
      pods.compactMap { $0.state.labels[JSON.revisionLabel] }.map { ($0, 1) }, uniquingKeysWith: +)
    let known = counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
    let hash = revision(of: workload, known: known)
    let byNode = Dictionary(grouping: pods, by: \.state.node)
    let template = workload.daemonTemplate
    let fitting = Set(controllers.index.nodes.values.filter { $0.takes(template, isDaemon: true) }.map(\.name))
    if workload.isActive {
      var left = Controllers.burst
      for node in fitting.sorted() where left > 0 && byNode[node] == nil {
        left -= 1
        makePod(of: workload, node: node, now) { pod in
          pod[["spec", "tolerations"]] = template["spec"]?["tolerations"]
          pod[["metadata", "labels", JSON.revisionLabel]] = .string(hash)
        }
      }
      var going: Set<ObjectKey> = []
      for (node, pods) in byNode where !node.isEmpty {
        let oldest = pods.sorted { (controllers.index.ages[$0.key] ?? 0) < (controllers.index.ages[$1.key] ?? 0) }
        let running = oldest.filter(\.state.isActive)
        going.formUnion(oldest.filter(\.state.isTerminal).map(\.key))
        going.formUnion(running.dropFirst(fitting.contains(node) ? 1 : 0).map(\.key))
      }
      for key in going.sorted() where controllers.index.pods[key]?.isMarked == false { delete(key, now) }
      replaceOutdated(of: workload, pods.filter { !going.contains($0.key) }, fitting, hash, now)
      if left == 0 { controllers.enqueue(.workload(workload.key), now + Controllers.reaction) }
    }
    writeDaemonSetStatus(workload, fitting, hash, now)
  }

  /// As many at a time as may be unavailable.
  private mutating func replaceOutdated(
    of workload: Workload, _ pods: [(key: ObjectKey, state: PodState)], _ fitting: Set<String>, _ hash: String,
    _ now: APITime
  ) {
    let strategy = workload.json["spec"]?["updateStrategy"]
    if strategy?["type"] == "OnDelete" { return }
    let ready = Set(pods.filter { $0.state.isActive && $0.state.isReady }.map(\.state.node)).intersection(fitting)
    let value = strategy?["rollingUpdate"]?["maxUnavailable"]
    var allowed = value?.count ?? 1
    if let percent = value?.string.flatMap({ $0.hasSuffix("%") ? Int($0.dropLast()) : nil }) {
      allowed = (fitting.count * min(max(percent, 0), 100) + 99) / 100
    }
    var room = max(allowed, 1) - (fitting.count - ready.count)
    for pod in pods where pod.state.isActive && pod.state.isOutdated(hash) {
      // One that isn't ready costs nothing.
      if pod.state.isReady {
        if room <= 0 { continue }
        room -= 1
      }
      delete(pod.key, now)
    }
  }

  private mutating func writeDaemonSetStatus(
    _ workload: Workload, _ fitting: Set<String>, _ hash: String, _ now: APITime
  ) {
    let pods = states(controllers.index.pods(of: workload.uid)).map(\.state).filter(\.isActive)
    let scheduled = pods.filter { fitting.contains($0.node) }
    let nodes = { (pods: [PodState]) in Set(pods.map(\.node)).count }
    let ready = nodes(scheduled.filter(\.isReady))
    let misscheduled = nodes(pods.filter { !fitting.contains($0.node) && !$0.node.isEmpty })
    putStatus(
      workload.key,
      [
        "currentNumberScheduled": .integer(nodes(scheduled)), "desiredNumberScheduled": .integer(fitting.count),
        "numberMisscheduled": .integer(misscheduled), "numberReady": .integer(ready),
        "updatedNumberScheduled": nodes(scheduled.filter { !$0.isOutdated(hash) }).unlessZero,
        "numberAvailable": ready.unlessZero, "numberUnavailable": (fitting.count - ready).unlessZero,
      ], now)
  }
}

extension Workload {
  /// The pod template with what a DaemonSet's pods tolerate (`util.AddOrUpdateDaemonPodTolerations`).
  fileprivate var daemonTemplate: JSON {
    var tolerations = template["spec"]?["tolerations"]?.array ?? []
    var taints = [
      ("not-ready", "NoExecute"), ("unreachable", "NoExecute"), ("disk-pressure", "NoSchedule"),
      ("memory-pressure", "NoSchedule"), ("pid-pressure", "NoSchedule"), ("unschedulable", "NoSchedule"),
    ]
    if template["spec"]?["hostNetwork"]?.bool == true { taints.append(("network-unavailable", "NoSchedule")) }
    for (name, effect) in taints {
      let toleration: JSON = [
        "key": .string("node.kubernetes.io/\(name)"), "operator": "Exists", "effect": .string(effect),
      ]
      if !tolerations.contains(toleration) { tolerations.append(toleration) }
    }
    var template = template
    template[["spec", "tolerations"]] = .array(tolerations)
    return template
  }
}
