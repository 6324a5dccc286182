internal import Manifests
internal import NetpolModel
internal import Text

/// Creations, updates and deletions.
extension ServedCluster {
  /// What a write makes of an object, and what its author is told.
  struct Written {
    var json: JSON
    var warnings: [String] = []
    /// Whether the object is new.
    var isNew = false
  }

  // MARK: - Creation

  mutating func create(
    _ type: ResourceType, _ namespace: String?, _ request: APIRequest, _ now: APITime
  ) throws(APIStatus) -> Written {
    var written = try decoded(JSON(request: request), type, request)
    let name = try giveName(&written.json, type, namespace)
    written.json = try created(written.json, ObjectKey(type, name.namespace, name.name), request, now)
    written.isNew = true
    return written
  }

  /// Stores a new object, as it is after decoding.
  mutating func created(
    _ decoded: JSON, _ key: ObjectKey, _ request: APIRequest, _ now: APITime
  ) throws(APIStatus) -> JSON {
    if store.object(key) != nil {
      throw APIStatus(
        .alreadyExists, "\(key.type.qualifiedPlural) \"\(key.name)\" already exists", key.type, key.name)
    }
    try requireNamespace(of: key)
    var json = decoded
    if let version = json["metadata"]?["resourceVersion"]?.string, !version.isEmpty {
      throw APIStatus(.badRequest, "resourceVersion should not be set on objects to be created")
    }
    for field in ["resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink"] {
      json["metadata"]?[field] = nil
    }
    if key.type.resetsStatus { json["status"] = nil }
    json = stamped(json, now).defaulted(key.type)
    if key.type == .pods { json.fill(["status"], ["phase": "Pending"]) }
    if key.type == .services { try allocate(&json, before: nil) }
    try json.requireValid(key)
    if request.query["dryRun"] == nil { put(key, json, now) }
    return store.json(key) ?? json
  }

  /// The namespace and name of a new object. Gives a `generateName` its end.
  private mutating func giveName(
    _ json: inout JSON, _ type: ResourceType, _ namespace: String?
  ) throws(APIStatus) -> (namespace: String, name: String) {
    let own = json["metadata"]?["namespace"]?.string ?? ""
    if type.isNamespaced {
      guard let namespace else {
        throw APIStatus(.badRequest, "an object of this type can be created only in a namespace: give it in the path")
      }
      if !own.isEmpty, own != namespace {
        throw APIStatus(
          .badRequest, "the namespace of the provided object does not match the namespace sent on the request")
      }
      json[["metadata", "namespace"]] = .string(namespace)
    } else if !own.isEmpty {
      throw APIStatus(.badRequest, "namespace may not be given for \(type.plural)")
    }
    let name = json["metadata"]?["name"]?.string ?? ""
    if !name.isEmpty { return (namespace ?? "", name) }
    let prefix = json["metadata"]?["generateName"]?.string ?? ""
    if prefix.isEmpty {
      throw APIStatus(
        .invalid, "\(type.kind) \"\" is invalid: metadata.name: Required value: name or generateName is required", type,
        causes: [
          .init(reason: "FieldValueRequired", message: "name or generateName is required", field: "metadata.name")
        ])
    }
    let made = prefix.prefix(58) + random.suffix()
    json[["metadata", "name"]] = .string(String(made))
    return (namespace ?? "", String(made))
  }

  private func requireNamespace(of key: ObjectKey) throws(APIStatus) {
    guard key.type.isNamespaced else { return }
    guard let namespace = store.json(ObjectKey(.namespaces, "", key.namespace)) else {
      throw .notFound(.namespaces, key.namespace)
    }
    if namespace["metadata"]?["deletionTimestamp"] != nil {
      throw APIStatus(
        .forbidden,
        "\(key.type.qualifiedPlural) \"\(key.name)\" is forbidden: unable to create new content in namespace "
          + "\(key.namespace) because it is being terminated", key.type, key.name)
    }
  }

  // MARK: - Change

  /// The part of an object that a request changes.
  enum Part: Hashable {
    case main, status
  }

  mutating func update(
    _ key: ObjectKey, _ part: Part, _ request: APIRequest, _ now: APITime
  ) throws(APIStatus) -> Written {
    guard let before = store.json(key) else { throw .notFound(key.type, key.name) }
    var written = try decoded(JSON(request: request), key.type, request)
    written.json = try changed(before, to: written.json, key, part, request, now)
    return written
  }

  /// Stores a changed object, as it is after decoding.
  mutating func changed(
    _ before: JSON, to decoded: JSON, _ key: ObjectKey, _ part: Part, _ request: APIRequest, _ now: APITime
  ) throws(APIStatus) -> JSON {
    try requireSame(decoded, key, before)
    var json = part == .status ? before : decoded
    switch part {
    case .status: json["status"] = decoded["status"] ?? before["status"]
    case .main:
      if key.type.hasStatus { json["status"] = before["status"] }
      if key.type.isNamespaced { json[["metadata", "namespace"]] = .string(key.namespace) }
      for name in ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"] {
        json["metadata"]?[name] = before["metadata"]?[name]
      }
      if key.type == .services { json.dropWhatBelongsToAnotherType(before) }
      json = json.defaulted(key.type)
      if key.type == .services { try allocate(&json, before: before) }
      try json.requireAllowedChange(of: before, key)
      if json["spec"] != before["spec"], let generation = before["metadata"]?["generation"]?.integer {
        json["metadata"]?["generation"] = .integer(generation + 1)
      }
    }
    let owners = owned(json, before, part, key, request, now)
    json["metadata"]?["managedFields"] = owners
    try json.requireValid(key, before: before)
    if request.query["dryRun"] != nil { return json }
    put(key, json, now)
    if json["metadata"]?["deletionTimestamp"] != nil { finishDeletion(key, now) }
    return store.json(key) ?? json
  }

  func requireSame(_ json: JSON, _ key: ObjectKey, _ before: JSON) throws(APIStatus) {
    if let name = json["metadata"]?["name"]?.string, name != key.name {
      throw APIStatus(
        .badRequest, "the name of the object (\(name.prefix(100))) does not match the name on the URL (\(key.name))")
    }
    if let namespace = json["metadata"]?["namespace"]?.string, namespace != key.namespace, !namespace.isEmpty {
      throw APIStatus(
        .badRequest,
        "the namespace of the object (\(namespace.prefix(100))) does not match the namespace on the "
          + "request (\(key.namespace))")
    }
    for (field, what) in [
      (
        "resourceVersion",
        "the object has been modified; please apply your changes to the latest "
          + "version and try again"
      ), ("uid", "Precondition failed: UID in precondition does not match"),
    ] {
      guard let asked = json["metadata"]?[field]?.string, !asked.isEmpty, asked != "0",
        asked != before["metadata"]?[field]?.string
      else { continue }
      throw APIStatus(
        .conflict, "Operation cannot be fulfilled on \(key.type.qualifiedPlural) \"\(key.name)\": \(what)", key.type,
        key.name)
    }
  }

  /// A pod gets the node that a scheduler chose: `POST pods/NAME/binding`.
  mutating func bind(_ key: ObjectKey, _ request: APIRequest, _ now: APITime) throws(APIStatus) -> JSON {
    guard var json = store.json(key) else { throw .notFound(key.type, key.name) }
    let node = try JSON(request: request)["target"]?["name"]?.string ?? ""
    if node.isEmpty { throw APIStatus(.badRequest, "target.name is missing: name a node") }
    if let own = json["spec"]?["nodeName"]?.string, !own.isEmpty {
      throw APIStatus(
        .conflict,
        "Operation cannot be fulfilled on pods/binding \"\(key.name)\": pod \(key.name) is already assigned "
          + "to node \"\(own)\"", key.type, key.name)
    }
    json[["spec", "nodeName"]] = .string(node)
    put(key, json, now)
    return ["kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "code": 201]
  }

  // MARK: - Deletion

  mutating func delete(_ key: ObjectKey, _ request: APIRequest, _ now: APITime) throws(APIStatus) -> JSON {
    guard let before = store.json(key) else { throw .notFound(key.type, key.name) }
    if key.type == .namespaces, ["default", "kube-system", "kube-public"].contains(key.name) {
      throw APIStatus(
        .forbidden, "namespaces \"\(key.name)\" is forbidden: this namespace may not be deleted", key.type, key.name)
    }
    let options = request.body.isEmpty ? JSON.empty : try JSON(request: request)
    for field in ["uid", "resourceVersion"] {
      guard let asked = options["preconditions"]?[field]?.string, asked != before["metadata"]?[field]?.string else {
        continue
      }
      throw APIStatus(
        .conflict,
        "Operation cannot be fulfilled on \(key.type.qualifiedPlural) \"\(key.name)\": Precondition failed: "
          + "\(field) does not match", key.type, key.name)
    }
    if request.query["dryRun"] != nil || options["dryRun"] != nil { return before }
    let grace =
      request.query["gracePeriodSeconds"].flatMap { Int($0) } ?? options["gracePeriodSeconds"]?.integer
    let policy = request.query["propagationPolicy"] ?? options["propagationPolicy"]?.string ?? ""
    let isOrphaning = policy == "Orphan" || request.asks("orphanDependents") || options["orphanDependents"] == true
    let last = delete(key, gracePeriod: grace.map { max(0, min($0, 1 << 30)) }, orphaning: isOrphaning, now)
    if store.object(key) != nil, let last { return last }
    if key.type == .customResourceDefinitions { forget(before) }
    return APIStatus.success(key.type, key.name, uid: before["metadata"]?["uid"]?.string ?? "")
  }

  mutating func deleteCollection(
    _ type: ResourceType, _ namespace: String?, _ request: APIRequest, _ now: APITime
  ) throws(APIStatus) -> JSON {
    let selection = try ObjectSelection(type, namespace, request)
    let keys = try store.objects(selection).map(\.key)
    var states: [JSON] = []
    for key in keys {
      guard let before = store.json(key) else { continue }
      _ = try delete(key, request, now)
      states.append(before)
    }
    return [
      "kind": .string("\(type.kind)List"), "apiVersion": .string(type.apiVersion),
      "metadata": ["resourceVersion": .string(String(store.resourceVersion))], "items": .array(states),
    ]
  }

  // MARK: - Decoding

  /// An object as Go decodes it, with what `fieldValidation` makes of unknown fields.
  func decoded(_ json: JSON, _ type: ResourceType, _ request: APIRequest) throws(APIStatus) -> Written {
    guard case .object = json else { throw APIStatus(.badRequest, "the body is no object") }
    for (field, expected) in [("kind", type.kind), ("apiVersion", type.apiVersion)] {
      guard let own = json[field]?.string, !own.isEmpty, own != expected else { continue }
      throw APIStatus(
        .badRequest, "the \(field) in the data (\(own.prefix(100))) does not match the expected \(field) (\(expected))")
    }
    var json = json
    json["kind"] = .string(type.kind)
    json["apiVersion"] = .string(type.apiVersion)
    let decoding = try ObjectDecoding(json, type)
    let unknown = decoding.unknown.sorted().map { "unknown field \"\($0)\"" }
    switch request.query["fieldValidation"] {
    case "Strict" where !unknown.isEmpty:
      throw APIStatus(
        .badRequest,
        "\(type.kind) in version \"\(type.version)\" cannot be handled as a \(type.kind): strict decoding "
          + "error: \(unknown.prefix(20).joined(separator: ", "))")
    case "Ignore": return Written(json: decoding.json)
    default: return Written(json: decoding.json, warnings: Array(unknown.prefix(20)))
    }
  }
}

extension ResourceType {
  /// Whether the API server forgets the status that a new object has: `PrepareForCreate` of their strategies.
  fileprivate var resetsStatus: Bool { hasStatus && ![.nodes, .namespaces].contains(self) && !isOpaque }
}

extension JSON {
  /// The body of a request. Throws `badRequest` for what is no JSON, or YAML where that is allowed.
  init(request: APIRequest) throws(APIStatus) {
    guard !request.body.isEmpty else { throw APIStatus(.badRequest, "the body is empty: give an object") }
    if request.contentType.contains("yaml") {
      do { self = try JSON(reading: request.body, named: "body") } catch {
        throw APIStatus(.badRequest, "the body can't be read: \(error)")
      }
    } else {
      do { self = try JSON(parsing: request.body) } catch {
        throw APIStatus(.badRequest, "the body is no JSON: line \(error.line): \(error.problem)")
      }
    }
  }

  /// Throws `invalid` for what an API server's validation refuses. `before`: the object as it is stored, which was valid.
  func requireValid(_ key: ObjectKey, before: JSON? = nil) throws(APIStatus) {
    var judged = self
    if let before, fields.allSatisfy({ $0.key == "metadata" || before[$0.key] == $0.value }) {
      // Most changes are of labels and annotations alone. Every kind has the same rules for these.
      judged = ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": "x"]]
      for name in ["labels", "annotations"] { judged["metadata"]?[name] = self["metadata"]?[name] }
    }
    do { try judged.validate() } catch {
      let what = [error.problem, error.remedy].compactMap(\.self).joined(separator: "; ")
      let field = error.field ?? "metadata"
      throw APIStatus(
        .invalid, "\(key.type.kind) \"\(key.name)\" is invalid: \(field): \(what)", key.type, key.name,
        causes: [.init(reason: "FieldValueInvalid", message: what, field: field)])
    }
  }

  /// Throws `invalid` for a change of what can't be changed.
  fileprivate func requireAllowedChange(of before: JSON, _ key: ObjectKey) throws(APIStatus) {
    let refuse = { (field: String, why: String) in
      APIStatus(
        .invalid, "\(key.type.kind) \"\(key.name)\" is invalid: \(field): \(why)", key.type, key.name,
        causes: [.init(reason: "FieldValueForbidden", message: why, field: field)])
    }
    switch key.type {
    case .pods:
      // `ValidatePodUpdate`.
      let fixed = { (json: JSON) in
        var spec = json["spec"] ?? .empty
        for name in ["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "schedulingGates"] {
          spec[name] = nil
        }
        for list in ["containers", "initContainers"] {
          spec.eachEntry(of: [list]) {
            $0["image"] = nil
            $0["imagePullPolicy"] = nil
            $0["resources"] = nil
          }
        }
        spec["ephemeralContainers"] = nil
        return spec
      }
      if fixed(self) != fixed(before) {
        throw refuse(
          "spec",
          "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
            + "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations`,"
            + "`spec.terminationGracePeriodSeconds`")
      }
    case .deployments, .replicaSets, .daemonSets, .statefulSets, .jobs:
      if self["spec"]?["selector"] != before["spec"]?["selector"], before["spec"]?["selector"] != nil {
        throw refuse("spec.selector", "Invalid value: field is immutable")
      }
      if key.type == .jobs, self["spec"]?["template"] != before["spec"]?["template"] {
        throw refuse("spec.template", "Invalid value: field is immutable")
      }
    default: break
    }
  }
}
