internal import NetpolModel
internal import Text

extension Controllers {
  /// Takes note of a change, and of what it gives the controllers to do.
  mutating func note(_ event: ObjectEvent, _ store: ObjectStore, _ now: APITime) {
    let key = event.object.key
    let json = event.kind == .deleted ? nil : store.json(key)
    let before = index.belongings[key]
    let after = json.map(ObjectIndex.Belonging.init)
    index.set(key, after)
    if let before, before.uid != after?.uid, index.dependents[before.uid] != nil {
      enqueue(.collect(before.uid), now + Self.reaction)
    }
    if key.type != .pods {
      for uid in Set([before?.controller, after?.controller].compactMap(\.self)).sorted() { enqueueOwner(uid, now) }
    }
    if key.type.isNamespaced, index.terminating.contains(key.namespace) {
      enqueue(.namespace(key.namespace), now + Self.reaction)
    }
    switch key.type {
    case .pods: notePod(key, json, now)
    case .nodes: noteNode(key, json, now)
    case .namespaces:
      if json?.isMarked == true {
        index.terminating.insert(key.name)
        enqueue(.namespace(key.name), now + Self.reaction)
      } else {
        index.terminating.remove(key.name)
      }
    case .services:
      let labels = json?["spec"]?["type"] == "ExternalName" ? [:] : json?["spec"]?["selector"]?.strings ?? [:]
      index.set(key, labels.isEmpty ? nil : LabelSelector(matchLabels: labels))
      if json == nil { index.sizes[key] = nil }
      enqueueSlices(key, now)
    case .endpointSlices:
      let service = json?.labels[EndpointSliceLabels.service].map { ObjectKey(.services, key.namespace, $0) }
      for service in [index.service(ofSlice: key), service].compactMap(\.self) { enqueueSlices(service, now) }
      index.set(key, service: service)
    case .endpoints:
      let service = ObjectKey(.services, key.namespace, key.name)
      if index.selectors[service] != nil { enqueueSlices(service, now) }
    default:
      guard key.type.isWorkload else { return }
      index.set(key, key.type.adoptsPods && json?.isMarked == false ? json?.workloadSelector(key.type) : nil)
      if let json {
        enqueue(.workload(key), size: index.dependents[json.uid]?.count ?? 0, now)
      } else if let before {
        revisions[before.uid] = nil
      }
    }
  }

  private mutating func notePod(_ key: ObjectKey, _ json: JSON?, _ now: APITime) {
    let before = index.pods[key]
    let after = json.map(PodState.init)
    index.set(key, after)
    if let after {
      if after.isMarked {
        enqueue(.stop(key), after.node.isEmpty ? now : now + pace.stop)
      } else if after.node.isEmpty {
        if !after.isTerminal { enqueue(.bind(key), now + pace.bind) }
      } else if after.needsStart {
        enqueue(.start(key), now + pace.start)
      }
      if !after.node.isEmpty, index.nodes[after.node] == nil { enqueue(.lostNode(after.node), now + pace.stop) }
    }
    if after == nil || after?.node.isEmpty == false { waiting.remove(key) }
    if before == after { return }
    if let before, after == nil {
      addressless[before.node]?.remove(key)
      if addressless[before.node]?.isEmpty == false { enqueue(.node(ObjectKey(.nodes, "", before.node)), now) }
    }
    for uid in Set([before?.controller, after?.controller].compactMap(\.self)).sorted() { enqueueOwner(uid, now) }
    if after == nil, let workload = blocked.removeValue(forKey: key) {
      enqueue(.workload(workload), now + Self.reaction)
    }
    if after == nil, let uid = before?.controller, let owner = index.keys[uid],
      let deployment = index.belongings[owner]?.controller
    {
      // One that recreates waits for its last pod to be gone.
      enqueueOwner(deployment, now)
    }
    noteSelection(of: key, before, after, now)
  }

  /// The Services that a pod belongs or belonged to, and the workloads that may adopt it.
  private mutating func noteSelection(of key: ObjectKey, _ before: PodState?, _ after: PodState?, _ now: APITime) {
    let had = before.map { index.selecting(key.namespace, $0.labels) } ?? []
    let has = after?.labels == before?.labels ? had : after.map { index.selecting(key.namespace, $0.labels) } ?? []
    let concerned = before.isSameEndpoint(as: after) ? had.symmetricDifference(has) : had.union(has)
    for service in concerned.filter({ $0.type == .services }).sorted() { enqueueSlices(service, now) }
    guard let after, after.controller == nil else { return }
    for workload in has.filter({ $0.type != .services }).ordered() {
      guard let uid = index.belongings[workload]?.uid else { continue }
      enqueue(.workload(workload), size: index.dependents[uid]?.count ?? 0, now)
    }
  }

  private mutating func noteNode(_ key: ObjectKey, _ json: JSON?, _ now: APITime) {
    let after = json.map { NodeState(key.name, $0) }
    if json != nil { enqueue(.node(key), now) }
    if index.nodes[key.name] == after { return }
    index.set(key.name, after)
    enqueue(.nodesChanged, now + pace.bind)
    if after == nil {
      startedNodes.remove(key.name)
      addressless[key.name] = nil
      enqueue(.lostNode(key.name), now + pace.stop)
    }
    var services: Set<ObjectKey> = []
    for pod in index.podsByNode[key.name] ?? [] {
      guard let labels = index.pods[pod]?.labels else { continue }
      services.formUnion(index.selecting(pod.namespace, labels).filter { $0.type == .services })
    }
    for service in services.sorted() { enqueueSlices(service, now) }
  }
}

extension ResourceType {
  /// Whether a workload takes pods that no one controls. The selectors of Jobs match only their own.
  fileprivate var adoptsPods: Bool { isWorkload && self != .deployments && self != .jobs }
}

extension PodState? {
  /// Whether slices say the same of it.
  fileprivate func isSameEndpoint(as other: PodState?) -> Bool {
    guard let a = self, let b = other else { return self == nil && other == nil }
    return a.uid == b.uid && a.node == b.node && a.isMarked == b.isMarked && a.isTerminal == b.isTerminal
      && a.isReady == b.isReady && a.addresses == b.addresses && a.ports == b.ports && a.hostname == b.hostname
      && a.subdomain == b.subdomain
  }
}
