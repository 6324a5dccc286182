internal import NetpolModel
internal import Text

extension JSON {
  var uid: String { self["metadata"]?["uid"]?.string ?? "" }
  var labels: [String: String] { self["metadata"]?["labels"]?.strings ?? [:] }
  /// Whether it is deleted, and only waits for finalizers or for a kubelet.
  var isMarked: Bool { self["metadata"]?["deletionTimestamp"]?.string != nil }
  var hasFinalizers: Bool { self["metadata"]?["finalizers"]?.array.isEmpty == false }
  var ownerReferences: [JSON] { self["metadata"]?["ownerReferences"]?.array ?? [] }
  /// The reference to the owner that controls it.
  var controllerReference: JSON? { ownerReferences.first { $0["controller"]?.bool == true } }

  mutating func setOwnerReferences(_ references: [JSON]) {
    self[["metadata", "ownerReferences"]] = references.isEmpty ? nil : .array(references)
  }

  /// A new state of the specification, as the API server counts them.
  mutating func raiseGeneration() {
    if let generation = self["metadata"]?["generation"]?.integer {
      self[["metadata", "generation"]] = .integer(generation &+ 1)
    }
  }

  /// What an object says of the one that it controls.
  func reference(_ key: ObjectKey) -> JSON {
    [
      "apiVersion": .string(key.type.apiVersion), "kind": .string(key.type.kind), "name": .string(key.name),
      "uid": .string(uid), "controller": true, "blockOwnerDeletion": true,
    ]
  }

  /// Sets a condition of the status. The time of its transition changes with its status.
  mutating func setCondition(
    _ type: String, _ value: Bool, reason: String? = nil, message: String? = nil, _ now: APITime,
    isUpdateTimed: Bool = false
  ) {
    var conditions = self["status"]?["conditions"]?.array ?? []
    let status: JSON = value ? "True" : "False"
    var condition: JSON = ["type": .string(type), "status": status]
    if let reason { condition["reason"] = .string(reason) }
    if let message { condition["message"] = .string(message) }
    let place = conditions.firstIndex { $0["type"]?.string == type }
    let before = place.map { conditions[$0] }
    let isSame = ["status", "reason", "message"].allSatisfy { before?[$0] == condition[$0] }
    if isSame { return }
    let transition = before?["status"] == status ? before?["lastTransitionTime"] : nil
    condition["lastTransitionTime"] = transition ?? .string(now.text)
    if isUpdateTimed { condition["lastUpdateTime"] = .string(now.text) }
    if let place { conditions[place] = condition } else { conditions.append(condition) }
    self[["status", "conditions"]] = .array(conditions)
  }

  func hasCondition(_ type: String) -> Bool {
    self["status"]?["conditions"]?.array.contains { $0["type"]?.string == type } ?? false
  }

  func isTrue(_ condition: String) -> Bool {
    self["status"]?["conditions"]?.array.contains { $0["type"]?.string == condition && $0["status"] == "True" } ?? false
  }

  /// A number of objects, from nothing up to what a cluster here can hold.
  var count: Int? { integer.map { min(max($0, 0), 100_000) } }
}

extension LabelSelector {
  /// `metav1.LabelSelector`. `nil` for one that is none, and for one that selects everything, which workloads may not have.
  init?(workload json: JSON?) {
    guard let json else { return nil }
    var expressions: [Expression] = []
    for entry in json["matchExpressions"]?.array ?? [] {
      guard let key = entry["key"]?.string, let `operator` = entry["operator"]?.string.flatMap(Operator.init(rawValue:))
      else { return nil }
      let values = entry["values"]?.array.compactMap(\.string) ?? []
      expressions.append(Expression(key: key, operator: `operator`, values: values))
    }
    self.init(matchLabels: json["matchLabels"]?.strings ?? [:], matchExpressions: expressions)
    if isEverything { return nil }
  }
}

extension Sequence<ObjectKey> {
  /// The order of a set must not depend on a run's hashing.
  func ordered() -> [ObjectKey] {
    sorted {
      ($0.type.plural, $0.type.group, $0.namespace, $0.name) < ($1.type.plural, $1.type.group, $1.namespace, $1.name)
    }
  }
}
