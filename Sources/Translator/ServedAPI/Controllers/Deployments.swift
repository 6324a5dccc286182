internal import NetpolModel
internal import Text

/// A ReplicaSet of a Deployment.
private struct Replicas {
  let key: ObjectKey
  let json: JSON
  var want: Int { json["spec"]?["replicas"]?.count ?? 1 }
  var actual: Int { json["status"]?["replicas"]?.count ?? 0 }
  var ready: Int { json["status"]?["readyReplicas"]?.count ?? 0 }
  var available: Int { json["status"]?["availableReplicas"]?.count ?? 0 }
  var revision: Int {
    let text = json["metadata"]?["annotations"]?["deployment.kubernetes.io/revision"]?.string ?? ""
    return Int(text) ?? 0
  }
}

extension ServedCluster {
  mutating func reconcileDeployment(_ workload: Workload, _ now: APITime) {
    let isPaused = workload.json["spec"]?["paused"]?.bool ?? false
    var all = replicaSets(of: workload)
    var current = all.first { $0.json["spec"]?["template"]?.isSameTemplate(as: workload.template) ?? false }
    if workload.isActive {
      let isRecreate = workload.json["spec"]?["strategy"]?["type"] == "Recreate"
      if current == nil, !isPaused {
        let hasPods = all.contains { $0.want > 0 || !controllers.index.pods(of: $0.json.uid).isEmpty }
        if isRecreate, hasPods {
          for old in all { scale(old, to: 0, workload, now) }
        } else {
          makeReplicaSet(of: workload, all, isRecreate ? workload.replicas : nil, now)
        }
      } else if let current {
        let old = all.filter { $0.key != current.key }
        raiseRevision(of: current, over: old, now)
        if isPaused {
          if old.allSatisfy({ $0.want == 0 }) { scale(current, to: workload.replicas, workload, now) }
        } else if isRecreate {
          for old in old { scale(old, to: 0, workload, now) }
          let hasPods = old.contains { $0.want > 0 || !controllers.index.pods(of: $0.json.uid).isEmpty }
          if !hasPods { scale(current, to: workload.replicas, workload, now) }
        } else {
          roll(workload, to: current, from: old, now)
        }
      } else if let active = all.first(where: { $0.want > 0 }) ?? all.last, all.filter({ $0.want > 0 }).count <= 1 {
        scale(active, to: workload.replicas, workload, now)
      }
      all = replicaSets(of: workload)
      current = all.first { $0.json["spec"]?["template"]?.isSameTemplate(as: workload.template) ?? false }
      removeOld(all.filter { $0.key != current?.key }, workload, now)
    }
    writeStatus(of: workload, current, all, now)
  }

  /// By revision.
  private func replicaSets(of workload: Workload) -> [Replicas] {
    (controllers.index.dependents[workload.uid] ?? []).filter {
      $0.type == .replicaSets && $0.namespace == workload.key.namespace
        && controllers.index.belongings[$0]?.controller == workload.uid
    }.sorted().compactMap { key in store.json(key).map { Replicas(key: key, json: $0) } }
      .filter { !$0.json.isMarked }
      .sorted { ($0.revision, $0.key.name) < ($1.revision, $1.key.name) }
  }

  private mutating func makeReplicaSet(of workload: Workload, _ others: [Replicas], _ count: Int?, _ now: APITime) {
    let bounds = RollingBounds(workload)
    let total = others.reduce(0) { $0 + $1.want }
    let count = count ?? min(workload.replicas, max(workload.replicas + bounds.surge - total, 0))
    let adopted = others.isEmpty ? lostReplicaSet(of: workload) : nil
    // Another template may have the same hash, or somebody else the name.
    for collision in 0..<8 {
      let hash = adopted?.hash ?? workload.template.templateHash(collision)
      let name = adopted?.name ?? "\(workload.key.name)-\(hash)"
      let key = ObjectKey(.replicaSets, workload.key.namespace, name)
      if store.json(key) != nil {
        if adopted != nil { return }
        continue
      }
      var template = workload.template
      template[["metadata", "labels", JSON.hashLabel]] = .string(hash)
      var selector = workload.json["spec"]?["selector"] ?? .empty
      selector[["matchLabels", JSON.hashLabel]] = .string(hash)
      let revision = (others.map(\.revision).max() ?? 0) &+ 1
      let json: JSON = [
        "metadata": [
          "name": .string(name), "namespace": .string(key.namespace), "labels": JSON(template.labels),
          "annotations": JSON([
            "deployment.kubernetes.io/revision": "\(revision)",
            "deployment.kubernetes.io/desired-replicas": "\(workload.replicas)",
            "deployment.kubernetes.io/max-replicas": "\(workload.replicas + bounds.surge)",
          ]),
          "ownerReferences": [workload.reference],
        ],
        "spec": ["replicas": .integer(count), "selector": selector, "template": template],
        "status": ["replicas": 0],
      ]
      var made = stamped(json.defaulted(.replicaSets), now)
      if let adopted { made[["metadata", "uid"]] = .string(adopted.uid) }
      put(key, made, now)
      return
    }
  }

  /// The ReplicaSet that pods name as their owner, although the input doesn't have it. It is made with their name for it.
  private func lostReplicaSet(of workload: Workload) -> (name: String, uid: String, hash: String)? {
    for key in controllers.index.pods(workload.key.namespace, workload.selector) {
      guard let state = controllers.index.pods[key], state.isActive, let uid = state.controller,
        controllers.index.keys[uid] == nil, let hash = state.labels[JSON.hashLabel],
        let reference = store.json(key)?.controllerReference, reference["kind"] == "ReplicaSet",
        let name = reference["name"]?.string, name == "\(workload.key.name)-\(hash)"
      else { continue }
      return (name, uid, hash)
    }
    return nil
  }

  private mutating func scale(_ replicas: Replicas, to count: Int, _ workload: Workload, _ now: APITime) {
    guard var json = store.json(replicas.key) else { return }
    if json["spec"]?["replicas"]?.integer != count {
      json[["spec", "replicas"]] = .integer(count)
      json.raiseGeneration()
    }
    let annotations = [
      "desired-replicas": workload.replicas, "max-replicas": workload.replicas + RollingBounds(workload).surge,
    ]
    if count > 0 {
      for (name, number) in annotations {
        json[["metadata", "annotations", "deployment.kubernetes.io/\(name)"]] = .string("\(number)")
      }
    }
    put(replicas.key, json, now)
  }

  /// One step of a rolling update (`pkg/controller/deployment/rolling.go`).
  private mutating func roll(_ workload: Workload, to current: Replicas, from old: [Replicas], _ now: APITime) {
    let bounds = RollingBounds(workload)
    let total = current.want + old.reduce(0) { $0 + $1.want }
    let room = max(workload.replicas + bounds.surge - total, 0)
    let want =
      current.want > workload.replicas ? workload.replicas : min(workload.replicas, current.want + room)
    let isOldGone = old.allSatisfy { $0.want == 0 }
    if want != current.want || isOldGone {
      scale(current, to: isOldGone ? workload.replicas : want, workload, now)
      if !isOldGone { return }
    }
    let minimum = workload.replicas - bounds.unavailable
    let unavailable = max(current.want - current.available, 0)
    var surplus = max(total - minimum - unavailable, 0)
    // First those that don't run, then as many as may be unavailable.
    for old in old where surplus > 0 {
      let broken = min(max(old.want - old.available, 0), surplus)
      if broken > 0 { scale(old, to: old.want - broken, workload, now) }
      surplus -= broken
    }
    let available = current.available + old.reduce(0) { $0 + min($1.available, $1.want) }
    surplus = min(surplus, max(available - minimum, 0))
    for old in old where surplus > 0 {
      let count = store.json(old.key)?["spec"]?["replicas"]?.count ?? 0
      let going = min(count, surplus)
      if going > 0 { scale(old, to: count - going, workload, now) }
      surplus -= going
    }
  }

  /// An earlier template that is used again is the newest.
  private mutating func raiseRevision(of current: Replicas, over old: [Replicas], _ now: APITime) {
    let newest = old.map(\.revision).max() ?? 0
    guard current.revision <= newest, var json = store.json(current.key) else { return }
    json[["metadata", "annotations", "deployment.kubernetes.io/revision"]] = .string("\(newest &+ 1)")
    put(current.key, json, now)
  }

  private mutating func removeOld(_ old: [Replicas], _ workload: Workload, _ now: APITime) {
    let limit = workload.json["spec"]?["revisionHistoryLimit"]?.count ?? 10
    let empty = old.filter { $0.want == 0 && $0.actual == 0 && controllers.index.pods(of: $0.json.uid).isEmpty }
    for replicas in empty.prefix(max(old.count - limit, 0)) { delete(replicas.key, now) }
  }

  private mutating func writeStatus(of workload: Workload, _ current: Replicas?, _ all: [Replicas], _ now: APITime) {
    let actual = all.reduce(0) { $0 + $1.actual }
    let available = all.reduce(0) { $0 + $1.available }
    let updated = current?.actual ?? 0
    let bounds = RollingBounds(workload)
    let isAvailable = available >= workload.replicas - bounds.unavailable
    let isComplete = updated == workload.replicas && actual == workload.replicas && available == workload.replicas
    let wanted = all.reduce(0) { $0 + $1.want }
    putStatus(
      workload.key,
      [
        "replicas": actual.unlessZero, "updatedReplicas": updated.unlessZero,
        "readyReplicas": all.reduce(0) { $0 + $1.ready }.unlessZero, "availableReplicas": available.unlessZero,
        "unavailableReplicas": max(wanted - available, 0).unlessZero,
      ], now
    ) { json in
      if let current {
        json[["metadata", "annotations", "deployment.kubernetes.io/revision"]] = .string("\(current.revision)")
        json.setCondition(
          "Progressing", true, reason: isComplete ? "NewReplicaSetAvailable" : "ReplicaSetUpdated",
          message:
            "ReplicaSet \"\(current.key.name)\" \(isComplete ? "has successfully progressed" : "is progressing").",
          now, isUpdateTimed: true)
      }
      json.setCondition(
        "Available", isAvailable, reason: isAvailable ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
        message: "Deployment \(isAvailable ? "has" : "does not have") minimum availability.", now, isUpdateTimed: true)
    }
  }
}

/// How many pods there may be more or fewer while a Deployment changes (`ResolveFenceposts`).
private struct RollingBounds {
  let surge: Int
  let unavailable: Int

  init(_ workload: Workload) {
    let strategy = workload.json["spec"]?["strategy"]
    if strategy?["type"] == "Recreate" {
      (surge, unavailable) = (0, 0)
      return
    }
    let rolling = strategy?["rollingUpdate"]
    surge = Self.resolve(rolling?["maxSurge"], of: workload.replicas, roundedUp: true)
    let unavailable = Self.resolve(rolling?["maxUnavailable"], of: workload.replicas, roundedUp: false)
    self.unavailable = min(surge == 0 && unavailable == 0 ? 1 : unavailable, workload.replicas)
  }

  private static func resolve(_ value: JSON?, of count: Int, roundedUp: Bool) -> Int {
    if let number = value?.count { return number }
    guard case .string(let text) = value ?? "25%", text.hasSuffix("%"), let percent = Int(text.dropLast()) else {
      return 0
    }
    let share = count * min(max(percent, 0), 1000)
    return roundedUp ? (share + 99) / 100 : share / 100
  }
}
