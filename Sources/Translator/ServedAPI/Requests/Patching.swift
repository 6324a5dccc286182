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
    case "application/json-patch+json": after = try before.applying(jsonPatch: patch)
    case "application/strategic-merge-patch+json": after = try before.merging(strategic: patch, as: schema)
    default:
      throw APIStatus(
        .unsupportedMediaType,
        "the body of the request was in an unknown format - accepted media types include: "
          + "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, "
          + "application/apply-patch+yaml")
    }
    var written = try decoded(after, key.type, request)
    written.json = try changed(before, to: owned(written.json, before, request, now), key, part, request, now)
    return written
  }

  /// Server-side apply. An object that isn't there is made.
  private mutating func apply(
    _ configuration: JSON, _ key: ObjectKey, _ part: Part, _ schema: ValueType?, _ request: APIRequest, _ now: APITime
  ) throws(APIStatus) -> Written {
    guard let by = request.query["fieldManager"], !by.isEmpty else {
      throw APIStatus(
        .invalid, "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch")
    }
    let before = store.json(key)
    var wanted = try decoded(configuration, key.type, request)
    var ownership = FieldOwnership(managedFields: before?["metadata"]?["managedFields"] ?? [])
    var json = try wanted.json.applied(
      by: by, force: request.asks("force"), to: before, ownership: &ownership, as: schema)
    json[["metadata", "managedFields"]] = ownership.managedFields(key.type.apiVersion, time: now.text)
    json[["metadata", "name"]] = .string(key.name)
    if key.type.isNamespaced { json[["metadata", "namespace"]] = .string(key.namespace) }
    if let before {
      wanted.json = try changed(before, to: json, key, part, request, now)
    } else {
      wanted.json = try created(json, key, request, now)
      wanted.isNew = true
    }
    return wanted
  }
}
