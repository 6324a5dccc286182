internal import Text

/// In which form a client wants to see objects.
public enum ObjectForm: Sendable {
  case whole
  /// Name, namespace and labels alone.
  case metadata
  /// As kubectl prints them.
  case table(ObjectTable.Included)

  /// By the header `Accept`. Throws `notAcceptable` if the client takes no JSON.
  init(_ request: APIRequest) throws(APIStatus) {
    guard MediaTypes(accept: request.accept).acceptsJSON else {
      throw APIStatus(.notAcceptable, "only the following media types are accepted: application/json")
    }
    if ObjectTable.isAsked(accept: request.accept) {
      self = .table(try ObjectTable.Included(query: request.query["includeObject"] ?? ""))
    } else {
      self = PartialMetadata.isAsked(accept: request.accept) ? .metadata : .whole
    }
  }

  /// An object in this form. Ages are those at a time.
  public func bytes(_ object: StoredObject, _ now: APITime) -> [UInt8] {
    if case .whole = self { return object.bytes }
    return bytes(of: object.json, object.key.type, now)
  }

  /// The same of one that isn't stored.
  func bytes(of json: JSON, _ type: ResourceType, _ now: APITime) -> [UInt8] {
    switch self {
    case .whole: json.bytes
    case .metadata: PartialMetadata.object(json).bytes
    case .table(let included):
      ObjectTable(of: type, now: now.seconds, including: included).only(json).bytes
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
    case .table(let included):
      return ObjectTable(of: type, now: 0, including: included).json(rows: [], resourceVersion: String(version)).bytes
    }
  }

  func list(
    _ objects: [StoredObject], of type: ResourceType, resourceVersion: UInt64, next: String?, _ now: APITime
  ) -> JSON {
    let version = String(resourceVersion)
    switch self {
    case .whole: return .null
    case .metadata: return PartialMetadata.list(objects.map(\.json), resourceVersion: version, continue: next)
    case .table(let included):
      let table = ObjectTable(of: type, now: now.seconds, including: included)
      return table.json(rows: objects.map { table.row($0.json) }, resourceVersion: version, continue: next)
    }
  }
}

extension ObjectTable {
  /// A table of one row.
  fileprivate func only(_ json: JSON) -> JSON {
    self.json(rows: [row(json)], resourceVersion: json["metadata"]?["resourceVersion"]?.string ?? "")
  }
}
