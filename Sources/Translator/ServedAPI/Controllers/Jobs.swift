internal import NetpolModel
internal import Text

extension ServedCluster {
  /// Pods of Jobs run until somebody writes into their status that they have ended.
  mutating func reconcileJob(_ key: ObjectKey, _ json: JSON, _ now: APITime) {
    if json.uid.isEmpty { return }
    let json = LabelSelector(workload: json["spec"]?["selector"]) == nil ? withGeneratedSelector(key, json, now) : json
    guard let workload = Workload(key, json, controllers.index) else { return }
    if json.isTrue("Complete") || json.isTrue("Failed") { return }
    let pods = states(claimPods(of: workload, now) { _ in false })
    let spec = json["spec"]
    let completions = spec?["completions"]?.count
    let status = json["status"]
    let succeeded = max(pods.count { $0.state.phase == "Succeeded" }, status?["succeeded"]?.count ?? 0)
    let failed = max(pods.count { $0.state.phase == "Failed" }, status?["failed"]?.count ?? 0)
    let isSuspended = spec?["suspend"]?.bool ?? false
    let isComplete = completions.map { succeeded >= $0 } ?? (succeeded > 0)
    let isFailed = !isComplete && failed > spec?["backoffLimit"]?.count ?? 6
    var want = spec?["parallelism"]?.count ?? 1
    if let completions { want = min(want, max(completions - succeeded, 0)) }
    if isSuspended || isComplete || isFailed { want = 0 }
    let active = pods.filter(\.state.isActive)
    if workload.isActive {
      let indexed = spec?["completionMode"] == "Indexed"
      // Pods that are being deleted count until they are gone.
      let missing = want - pods.count { !$0.state.isTerminal }
      if missing > 0 {
        makePods(of: workload, min(missing, Controllers.burst), pods, indexed ? completions ?? 0 : nil, now)
        if missing > Controllers.burst { controllers.enqueue(.workload(key), now + Controllers.reaction) }
      }
      if active.count > want {
        for pod in active.suffix(active.count - want).prefix(Controllers.burst) { delete(pod.key, now) }
        if active.count - want > Controllers.burst {
          controllers.enqueue(.workload(key), now + Controllers.reaction)
        }
      }
    }
    let left = states(controllers.index.pods(of: workload.uid)).map(\.state).filter(\.isActive)
    putStatus(
      key,
      [
        "active": left.count.unlessZero, "ready": .integer(left.count(where: \.isReady)),
        "succeeded": succeeded.unlessZero, "failed": failed.unlessZero,
      ], now
    ) { json in
      json["status"]?["observedGeneration"] = nil
      if !isSuspended { json.fill(["status", "startTime"], .string(now.text)) }
      if isComplete {
        json.fill(["status", "completionTime"], .string(now.text))
        json.setCondition("Complete", true, reason: "CompletionsReached", now)
      } else if isFailed {
        json.setCondition("Failed", true, reason: "BackoffLimitExceeded", now)
      }
    }
  }

  /// `indices`: how many numbered pods there are in all. `nil`: they have no numbers.
  private mutating func makePods(
    of workload: Workload, _ count: Int, _ pods: [(key: ObjectKey, state: PodState)], _ indices: Int?, _ now: APITime
  ) {
    let label = "batch.kubernetes.io/job-completion-index"
    guard let indices else {
      for _ in 0..<count { makePod(of: workload, now) }
      return
    }
    let taken = Set(pods.filter { $0.state.phase != "Failed" }.compactMap { $0.state.labels[label] })
    for index in (0..<indices).lazy.filter({ !taken.contains("\($0)") }).prefix(count) {
      makePod(of: workload, generateName: "\(workload.key.name)-\(index)-", now) { pod in
        pod[["metadata", "labels", label]] = .string("\(index)")
        pod[["metadata", "annotations", label]] = .string("\(index)")
        pod.fill(["spec", "hostname"], .string("\(workload.key.name)-\(index)"))
      }
    }
  }

  /// What the API server gives a new Job (`pkg/registry/batch/job/strategy.go`).
  private mutating func withGeneratedSelector(_ key: ObjectKey, _ json: JSON, _ now: APITime) -> JSON {
    var json = json
    let labels = [
      "batch.kubernetes.io/controller-uid": json.uid, "controller-uid": json.uid,
      "batch.kubernetes.io/job-name": key.name, "job-name": key.name,
    ]
    for (name, value) in labels { json[["spec", "template", "metadata", "labels", name]] = .string(value) }
    json[["spec", "selector"]] = ["matchLabels": ["batch.kubernetes.io/controller-uid": .string(json.uid)]]
    put(key, json, now)
    return json
  }
}
