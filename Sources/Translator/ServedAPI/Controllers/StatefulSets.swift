internal import NetpolModel
internal import Text

extension ServedCluster {
  mutating func reconcileStatefulSet(_ workload: Workload, _ now: APITime) {
    let name = workload.key.name
    let first = workload.json["spec"]?["ordinals"]?["start"]?.count ?? 0
    let pods = states(claimPods(of: workload, now) { $0.name.ordinal(after: name) != nil })
    let said = workload.json["status"]?["updateRevision"]?.string
    let known = said.flatMap { $0.hasPrefix("\(name)-") ? String($0.dropFirst(name.count + 1)) : nil }
    let hash = revision(of: workload, known: known)
    let update = "\(name)-\(hash)"
    if workload.isActive {
      let wanted = first..<(first + workload.replicas)
      var left = Controllers.burst
      let present = Set(pods.compactMap { $0.key.name.ordinal(after: name) })
      for ordinal in wanted where left > 0 && !present.contains(ordinal) {
        left -= 1
        makePod(of: workload, name: "\(name)-\(ordinal)", now) { pod in
          pod[["metadata", "labels", "statefulset.kubernetes.io/pod-name"]] = .string("\(name)-\(ordinal)")
          pod[["metadata", "labels", "apps.kubernetes.io/pod-index"]] = .string("\(ordinal)")
          pod[["metadata", "labels", JSON.revisionLabel]] = .string(update)
          pod[["spec", "hostname"]] = .string("\(name)-\(ordinal)")
          pod[["spec", "subdomain"]] = workload.json["spec"]?["serviceName"]
        }
      }
      for pod in pods where !pod.state.isMarked && left > 0 {
        let ordinal = pod.key.name.ordinal(after: name)
        if pod.state.isTerminal || ordinal.map(wanted.contains) != true {
          left -= 1
          delete(pod.key, now)
        }
      }
      if left == 0 { controllers.enqueue(.workload(workload.key), now + Controllers.reaction) }
      replaceLastOutdated(of: workload, pods, wanted, update, now)
    }
    writeStatefulSetStatus(workload, update, now)
  }

  /// The pod with the highest number goes first, and the next one not before its successor is ready.
  private mutating func replaceLastOutdated(
    of workload: Workload, _ pods: [(key: ObjectKey, state: PodState)], _ wanted: Range<Int>, _ update: String,
    _ now: APITime
  ) {
    let strategy = workload.json["spec"]?["updateStrategy"]
    if strategy?["type"] == "OnDelete" { return }
    let partition = strategy?["rollingUpdate"]?["partition"]?.count ?? 0
    let numbered = pods.compactMap { pod in pod.key.name.ordinal(after: workload.key.name).map { ($0, pod) } }
      .filter { wanted.contains($0.0) }.sorted { $0.0 > $1.0 }
    if numbered.count < wanted.count { return }
    for (ordinal, pod) in numbered where ordinal >= partition {
      if pod.state.isOutdated(update) {
        if !pod.state.isMarked { delete(pod.key, now) }
        return
      }
      if pod.state.isMarked || !pod.state.isReady { return }
    }
  }

  private mutating func writeStatefulSetStatus(_ workload: Workload, _ update: String, _ now: APITime) {
    let pods = states(controllers.index.pods(of: workload.uid)).map(\.state).filter { !$0.isTerminal }
    let updated = pods.count { $0.isActive && !$0.isOutdated(update) }
    let ready = pods.count { $0.isActive && $0.isReady }
    let isComplete = updated == pods.count && ready == pods.count && updated == workload.replicas
    let before = workload.json["status"]?["currentRevision"]?.string
    let current = isComplete ? update : before ?? update
    putStatus(
      workload.key,
      [
        "replicas": .integer(pods.count), "readyReplicas": ready.unlessZero, "availableReplicas": .integer(ready),
        "updatedReplicas": updated.unlessZero,
        "currentReplicas": (current == update ? updated : pods.count - updated).unlessZero,
        "currentRevision": .string(current), "updateRevision": .string(update), "collisionCount": 0,
      ], now)
  }
}

extension PodState {
  /// Whether its label names another revision. A pod without that label is taken as it is.
  func isOutdated(_ revision: String) -> Bool { labels[JSON.revisionLabel].map { $0 != revision } ?? false }
}

extension String {
  /// The number of a StatefulSet's pod: 2 of `web-2`.
  fileprivate func ordinal(after name: String) -> Int? {
    guard hasPrefix("\(name)-") else { return nil }
    let digits = dropFirst(name.count + 1)
    guard let number = Int(digits), number >= 0, "\(number)" == digits else { return nil }
    return number
  }
}
