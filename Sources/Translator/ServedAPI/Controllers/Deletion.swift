internal import Text

extension ServedCluster {
  /// Deletes an object as the API does. Its last state, or that in which it waits: for its kubelet if it is a pod, until
  /// it is empty if it is a namespace, and for its finalizers. `orphaning`: what belongs to it stays. `nil`: there is none.
  @discardableResult mutating func delete(
    _ key: ObjectKey, gracePeriod: Int? = nil, orphaning: Bool = false, _ now: APITime
  ) -> JSON? {
    guard let json = store.json(key) else { return nil }
    if orphaning { orphanDependents(of: json.uid, now) }
    var seconds = 0
    if key.type == .pods, let pod = controllers.index.pods[key], !pod.node.isEmpty, !pod.isTerminal {
      seconds = gracePeriod ?? json["spec"]?["terminationGracePeriodSeconds"]?.integer ?? 30
      // More is no time any more.
      seconds = min(max(seconds, 0), 1_000_000_000)
      if let asked = json["metadata"]?["deletionGracePeriodSeconds"]?.integer, json.isMarked, asked >= 0 {
        seconds = min(seconds, asked)
      }
    }
    if key.type == .namespaces || seconds > 0 || json.hasFinalizers {
      return mark(key, json, gracePeriod: key.type == .namespaces ? nil : seconds, now)
    }
    guard let event = remove(key, now) else { return nil }
    var last = json
    last[["metadata", "resourceVersion"]] = .string(String(event.resourceVersion))
    return last
  }

  private mutating func mark(_ key: ObjectKey, _ json: JSON, gracePeriod: Int?, _ now: APITime) -> JSON? {
    var json = json
    if !json.isMarked || json["metadata"]?["deletionGracePeriodSeconds"]?.integer != gracePeriod {
      if !json.isMarked { json.raiseGeneration() }
      json[["metadata", "deletionTimestamp"]] = .string((now + (gracePeriod ?? 0) * 1000).text)
      if let gracePeriod { json[["metadata", "deletionGracePeriodSeconds"]] = .integer(gracePeriod) }
    }
    if key.type == .namespaces { json[["status", "phase"]] = "Terminating" }
    put(key, json, now)
    return store.json(key)
  }

  /// Removes a deleted object that waits for nothing any more.
  mutating func finishDeletion(_ key: ObjectKey, _ now: APITime) {
    guard let json = store.json(key), json.isMarked, !json.hasFinalizers else { return }
    if key.type == .namespaces {
      controllers.enqueue(.namespace(key.name), now)
    } else if key.type != .pods || controllers.index.pods[key]?.node.isEmpty ?? true
      || json["metadata"]?["deletionGracePeriodSeconds"] == 0
    {
      remove(key, now)
    }
  }

  private mutating func orphanDependents(of uid: String, _ now: APITime) {
    for key in (controllers.index.dependents[uid] ?? []).ordered() {
      guard var json = store.json(key) else { continue }
      json.setOwnerReferences(json.ownerReferences.filter { $0["uid"]?.string != uid })
      put(key, json, now)
    }
  }

  /// What the garbage collector does when an owner is gone: who has no other is deleted.
  mutating func collectDependents(of uid: String, _ now: APITime) {
    if controllers.index.keys[uid] != nil { return }
    let dependents = (controllers.index.dependents[uid] ?? []).filter { store.json($0)?.isMarked == false }.ordered()
    for key in dependents.prefix(Controllers.burst) {
      guard var json = store.json(key) else { continue }
      let living = json.ownerReferences.filter { controllers.index.keys[$0["uid"]?.string ?? ""] != nil }
      if living.isEmpty {
        delete(key, now)
      } else {
        json.setOwnerReferences(living)
        put(key, json, now)
      }
    }
    if dependents.count > Controllers.burst { controllers.enqueue(.collect(uid), now + Controllers.reaction) }
  }

  /// Deletes what is in a deleted namespace, and the namespace when it is empty.
  mutating func emptyNamespace(_ name: String, _ now: APITime) {
    let key = ObjectKey(.namespaces, "", name)
    guard let namespace = store.json(key), namespace.isMarked else { return }
    let objects = controllers.index.byNamespace[name] ?? []
    if objects.isEmpty {
      if !namespace.hasFinalizers { remove(key, now) }
      return
    }
    let left = objects.filter { store.json($0)?.isMarked == false }.ordered()
    for object in left.prefix(Controllers.burst) { delete(object, now) }
    let isDone = left.count <= Controllers.burst && controllers.index.byNamespace[name] != nil
    if !isDone { controllers.enqueue(.namespace(name), now + Controllers.reaction) }
  }
}
