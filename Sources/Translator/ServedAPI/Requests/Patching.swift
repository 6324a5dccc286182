internal import Manifests
internal import Text

/// Changes by patches.
extension ServedCluster {
  mutating func patch(
    _ key: ObjectKey, _ part: Part, _ request: APIRequest, _ now: APITime
  ) throws(APIStatus) -> Written {
    let patch = try JSON(request: request)
    let schema = ValueType(kind: key.type.kind, apiVersion: key.type.apiVersion)
    if request.contentType == "application/apply-patch+yaml" {
      return try apply(patch, key, part, schema, request, now)
    }
    guard let before = store.json(key) else { throw .notFound(key.type, key.name) }
    let after: JSON
    switch request.contentType {
    case "application/merge-patch+json": after = before.merging(patch)
    case "application/json-patch+json": after = try JSONPatch(patch).applied(to: before)
    case "application/strategic-merge-patch+json":
      after =
        try schema == nil && !key.type.isOpaque
        ? before.merging(strategicWithoutSchema: patch) : before.merging(strategic: patch, as: schema)
    default:
      throw APIStatus(
        .unsupportedMediaType,
        "the body of the request was in an unknown format - accepted media types include: "
          + "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, "
          + "application/apply-patch+yaml")
    }
    var written = try decoded(after, key.type, request)
    written.json = try changed(before, to: written.json, key, part, request, now)
    return written
  }

  /// Server-side apply. An object that isn't there is made.
  private mutating func apply(
    _ configuration: JSON, _ key: ObjectKey, _ part: Part, _ schema: ValueType?, _ request: APIRequest, _ now: APITime
  ) throws(APIStatus) -> Written {
    guard let manager = request.query["fieldManager"], !manager.isEmpty else {
      throw APIStatus(
        .invalid,
        "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch")
    }
    let before = store.json(key)
    var written = try decoded(configuration, key.type, request)
    written.json[["metadata", "name"]] = .string(key.name)
    if key.type.isNamespaced { written.json[["metadata", "namespace"]] = .string(key.namespace) }
    if let before { try requireSame(written.json, key, before) }
    for field in ["resourceVersion", "uid"] { written.json["metadata"]?[field] = nil }
    let subresource = part == .status ? "status" : ""
    var ownership = FieldOwnership(stated: .empty, stored: before)
    if let before, before["metadata"]?["managedFields"] == nil {
      // Who wrote it before the first apply owns all of it (`pkg/util/managedfields`, `BeforeFirstApply`).
      ownership.update(from: nil, to: before, by: "before-first-apply", as: schema)
    }
    // kubectl turns its own client-side applies into server-side ones (`csaupgrade`).
    let lastApplied = before?["metadata"]?["annotations"]?["kubectl.kubernetes.io/last-applied-configuration"]
    let isUpgrade = manager == "kubectl" && lastApplied != nil && before?["metadata"]?["managedFields"] == nil
    var json = try ownership.apply(
      written.json, by: manager, force: request.asks("force") || isUpgrade, to: before, subresource: subresource,
      as: schema)
    json[["metadata", "managedFields"]] = ownership.managedFields(at: now.text)
    if let before {
      written.json = try changed(before, to: json, key, part, request, now)
    } else {
      written.json = try created(json, key, request, now)
      written.isNew = true
    }
    return written
  }

  /// The owners of an object's fields after a write that is no apply. Who owns what is noted from the first apply on.
  func owned(
    _ json: JSON, _ before: JSON, _ part: Part, _ key: ObjectKey, _ request: APIRequest, _ now: APITime
  ) -> JSON? {
    let isApply = request.contentType == "application/apply-patch+yaml"
    if isApply || before["metadata"]?["managedFields"] == nil { return json["metadata"]?["managedFields"] }
    var ownership = FieldOwnership(stated: json, stored: before)
    let manager =
      request.query["fieldManager"] ?? request.userAgent.split(separator: "/").first.map(String.init) ?? "unknown"
    ownership.update(
      from: before, to: json, by: manager, subresource: part == .status ? "status" : "",
      as: ValueType(kind: key.type.kind, apiVersion: key.type.apiVersion))
    let fields = ownership.managedFields(at: now.text)
    return fields.array.isEmpty ? nil : fields
  }
}
