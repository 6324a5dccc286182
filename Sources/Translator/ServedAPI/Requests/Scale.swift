internal import Text

extension ResourceType {
  /// Whether `kubectl scale` can change how many pods it has.
  var hasScale: Bool { [.deployments, .replicaSets, .statefulSets, .replicationControllers].contains(self) }
}

extension ServedCluster {
  /// The subresource `scale` (autoscaling/v1): the number of pods alone.
  mutating func answer(
    scaleOf key: ObjectKey, _ request: APIRequest, _ now: APITime
  ) throws(APIStatus) -> APIAnswer {
    guard let before = store.json(key) else { throw .notFound(key.type, key.name) }
    let current = Self.scale(before)
    var wanted = current
    switch request.method {
    case .get, .head: return .body(APIBody(200, current.bytes))
    case .put: wanted = try JSON(request: request)
    case .patch: wanted = try current.merging(JSON(request: request))
    case .post, .delete, .options:
      throw APIStatus(.methodNotAllowed, "the server does not allow this method on the requested resource")
    }
    guard let replicas = wanted["spec"]?["replicas"]?.integer, (0...Int(Int32.max)).contains(replicas) else {
      throw APIStatus(
        .invalid,
        "Scale.autoscaling \"\(key.name)\" is invalid: spec.replicas: Invalid value: must be greater than or equal to 0",
        key.type, key.name)
    }
    var after = before
    after[["spec", "replicas"]] = .integer(replicas)
    return .body(APIBody(200, Self.scale(try changed(before, to: after, key, .main, request, now)).bytes))
  }

  private static func scale(_ workload: JSON) -> JSON {
    var metadata: JSON = [:]
    for name in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
      metadata[name] = workload["metadata"]?[name]
    }
    let labels = workload["spec"]?["selector"]?["matchLabels"] ?? workload["spec"]?["selector"] ?? .empty
    let selector = labels.strings.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }.joined(separator: ",")
    return [
      "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata,
      "spec": ["replicas": workload["spec"]?["replicas"] ?? 0],
      "status": ["replicas": workload["status"]?["replicas"] ?? 0, "selector": .string(selector)],
    ]
  }
}
