internal import Text

/// In which form a client wants to see objects.
public enum ObjectForm: Sendable {
  case whole
  /// Name, namespace and labels alone.
  case metadata
  /// As kubectl prints them.
  case table(ObjectTable)

  /// By the header `Accept`. Throws `notAcceptable` if the client takes no JSON.
  init(_ request: APIRequest, _ type: ResourceType, _ now: APITime) throws(APIStatus) {
    guard MediaTypes(accept: request.accept).acceptsJSON else {
      throw APIStatus(.notAcceptable, "only the following media types are accepted: application/json")
    }
    if ObjectTable.isAsked(accept: request.accept) {
      let included = try ObjectTable.Included(query: request.query["includeObject"] ?? "")
      self = .table(ObjectTable(of: type, now: now.seconds, including: included))
    } else {
      self = PartialMetadata.isAsked(accept: request.accept) ? .metadata : .whole
    }
  }

  /// An object in this form.
  public func bytes(_ object: StoredObject) -> [UInt8] {
    if case .whole = self { return object.bytes }
    return bytes(of: object.json)
  }

  /// The same of one that isn't stored.
  func bytes(of json: JSON) -> [UInt8] {
    switch self {
    case .whole: json.bytes
    case .metadata: PartialMetadata.object(json).bytes
    case .table(let table):
      table.json(rows: [table.row(json)], resourceVersion: json["metadata"]?["resourceVersion"]?.string ?? "").bytes
    }
  }

  /// The object of a bookmark: the watched type's kind, and how far the stream is. `endsInitial`: all that there was has
  /// been sent (KEP-3157).
  public func bookmark(_ type: ResourceType, _ version: UInt64, endsInitial: Bool) -> [UInt8] {
    var metadata: JSON = ["resourceVersion": .string(String(version))]
    if endsInitial { metadata["annotations"] = ["k8s.io/initial-events-end": "true"] }
    switch self {
    case .whole:
      let object: JSON = [
        "kind": .string(type.kind), "apiVersion": .string(type.apiVersion), "metadata": metadata,
      ]
      return object.bytes
    case .metadata:
      return PartialMetadata.object(["metadata": metadata]).bytes
    case .table(let table):
      return table.json(rows: [], resourceVersion: String(version)).bytes
    }
  }

  func list(_ objects: [StoredObject], resourceVersion: UInt64, next: String?) -> JSON {
    let version = String(resourceVersion)
    return switch self {
    case .whole: .null
    case .metadata: PartialMetadata.list(objects.map(\.json), resourceVersion: version, continue: next)
    case .table(let table):
      table.json(rows: objects.map { table.row($0.json) }, resourceVersion: version, continue: next)
    }
  }
}
