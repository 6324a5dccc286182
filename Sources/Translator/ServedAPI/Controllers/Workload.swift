internal import NetpolModel
internal import Text

/// A workload as its controller sees it.
struct Workload: Sendable {
  let key: ObjectKey
  let json: JSON
  let uid: String
  let selector: LabelSelector
  let template: JSON
  /// Whether it makes pods: it isn't deleted, and those that it would make are its own.
  let isActive: Bool

  /// `nil`: its selector selects nothing, or it has no uid by which pods could name it.
  init?(_ key: ObjectKey, _ json: JSON, _ index: ObjectIndex) {
    guard let selector = json.workloadSelector(key.type), !json.uid.isEmpty else { return nil }
    self.key = key
    self.json = json
    uid = json.uid
    self.selector = selector
    template = json["spec"]?["template"] ?? .empty
    isActive =
      !json.isMarked && !index.terminating.contains(key.namespace) && selector.matches(template.labels)
  }

  var replicas: Int { json["spec"]?["replicas"]?.count ?? 1 }
  var reference: JSON { json.reference(key) }
}

extension JSON {
  /// `nil` for one that selects nothing.
  func workloadSelector(_ type: ResourceType) -> LabelSelector? {
    let selector = self["spec"]?["selector"]
    if type != .replicationControllers { return LabelSelector(workload: selector) }
    let labels = selector?.strings ?? self["spec"]?["template"]?.labels ?? [:]
    return labels.isEmpty ? nil : LabelSelector(matchLabels: labels)
  }
}

extension ServedCluster {
  mutating func reconcile(_ key: ObjectKey, _ now: APITime) {
    guard let json = store.json(key) else { return }
    if key.type == .jobs {
      reconcileJob(key, json, now)
      return
    }
    guard let workload = Workload(key, json, controllers.index) else { return }
    switch key.type {
    case .deployments: reconcileDeployment(workload, now)
    case .replicaSets, .replicationControllers: reconcileReplicas(workload, now)
    case .statefulSets: reconcileStatefulSet(workload, now)
    case .daemonSets: reconcileDaemonSet(workload, now)
    default: break
    }
  }

  /// The pods of a workload, by name. Those whose labels match no more are let go, and those that match and have no
  /// controller are taken (`PodControllerRefManager.ClaimPods`).
  mutating func claimPods(of workload: Workload, _ now: APITime, adopts: (ObjectKey) -> Bool = { _ in true })
    -> [ObjectKey]
  {
    var claimed: [ObjectKey] = []
    for key in controllers.index.pods(of: workload.uid) {
      guard let state = controllers.index.pods[key], key.namespace == workload.key.namespace else { continue }
      if workload.selector.matches(state.labels) || state.isMarked || workload.json.isMarked {
        claimed.append(key)
      } else if var pod = store.json(key) {
        pod.setOwnerReferences(pod.ownerReferences.filter { $0["uid"]?.string != workload.uid })
        put(key, pod, now)
      }
    }
    if workload.json.isMarked { return claimed }
    let orphans = controllers.index.pods(workload.key.namespace, workload.selector, onlyOrphans: true)
    for key in orphans where controllers.index.pods[key]?.isActive == true && adopts(key) {
      guard var pod = store.json(key) else { continue }
      let others = pod.ownerReferences.filter { $0["uid"]?.string != workload.uid }
      pod.setOwnerReferences(others + [workload.reference])
      put(key, pod, now)
      claimed.append(key)
    }
    return claimed.sorted()
  }

  func states(_ keys: [ObjectKey]) -> [(key: ObjectKey, state: PodState)] {
    keys.compactMap { key in controllers.index.pods[key].map { (key, $0) } }
  }

  /// Makes a pod of a workload's template. `name`: or one with a random end. Nothing if there is one of that name.
  mutating func makePod(
    of workload: Workload, name: String? = nil, generateName: String? = nil, node: String? = nil, _ now: APITime,
    change: (inout JSON) -> Void = { _ in }
  ) {
    let prefix = String((generateName ?? "\(workload.key.name)-").prefix(58))
    guard let key = name.map({ ObjectKey(.pods, workload.key.namespace, $0) }) ?? freeKey(.pods, workload.key, prefix)
    else { return }
    if store.object(key) != nil {
      controllers.blocked[key] = workload.key
      return
    }
    var metadata: JSON = ["name": .string(key.name), "namespace": .string(key.namespace)]
    for field in ["labels", "annotations", "finalizers"] {
      metadata[field] = workload.template["metadata"]?[field]
    }
    if name == nil { metadata["generateName"] = .string(prefix) }
    metadata["ownerReferences"] = [workload.reference]
    var pod: JSON = ["metadata": metadata, "spec": workload.template["spec"] ?? .empty, "status": ["phase": "Pending"]]
    if let node { pod[["spec", "nodeName"]] = .string(node) }
    change(&pod)
    if node != nil { pod.setCondition("PodScheduled", true, now) }
    put(key, stamped(pod.defaulted(.pods), now), now)
  }

  /// A name with a random end that no object beside the owner has. `nil` if chance gives none.
  mutating func freeKey(_ type: ResourceType, _ owner: ObjectKey, _ prefix: String) -> ObjectKey? {
    for _ in 0..<8 {
      let key = ObjectKey(type, owner.namespace, prefix + random.suffix())
      if store.object(key) == nil { return key }
    }
    return nil
  }

  /// Writes numbers of a workload's status. `nil` for those that the API leaves out when they are 0.
  mutating func putStatus(
    _ key: ObjectKey, _ fields: [String: JSON?], _ now: APITime, change: (inout JSON) -> Void = { _ in }
  ) {
    guard var json = store.json(key) else { return }
    for (name, value) in fields { json[["status", name]] = value }
    if let generation = json["metadata"]?["generation"] { json[["status", "observedGeneration"]] = generation }
    change(&json)
    put(key, json, now)
  }
}

extension Int {
  /// As `omitempty` writes it.
  var unlessZero: JSON? { self == 0 ? nil : .integer(self) }
}
