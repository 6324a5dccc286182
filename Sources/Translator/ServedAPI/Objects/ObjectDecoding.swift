internal import Manifests
public import Text

/// A request's object as Go decodes it into its type: without unknown fields and nulls.
public struct ObjectDecoding: Sendable {
  public private(set) var json: JSON
  /// The paths of fields that the type doesn't have: `spec.containers[0].foo`. An API server leaves them out.
  public private(set) var unknown: [String] = []

  /// Throws `badRequest` for what Go can't decode: one such object stops every controller that reads it.
  public init(_ json: JSON, _ type: ResourceType) throws(APIStatus) {
    self.json = .null
    let asked = { (problem: String) in
      APIStatus(
        .badRequest,
        "\(type.kind) in version \"\(type.version)\" cannot be handled as a \(type.kind): \(problem)")
    }
    guard case .object(var fields) = json else { throw asked("the body is no object") }
    if type.isOpaque || ValueType(kind: type.kind, apiVersion: type.apiVersion) == nil {
      // Of other projects' objects only the metadata is known.
      guard let metadata = ValueType(kind: "Pod", apiVersion: "v1")?.field("metadata") else { return }
      fields["metadata"] = try decode(json["metadata"] ?? .empty, metadata, "metadata", asked) ?? .empty
      self.json = .object(fields)
    } else if let value = ValueType(kind: type.kind, apiVersion: type.apiVersion) {
      self.json = try decode(json, value, "", asked) ?? .empty
    }
    for name in ["labels", "annotations"] where self.json["metadata"]?[name]?.fields.isEmpty == true {
      self.json["metadata"]?[name] = nil
    }
  }

  private mutating func decode(
    _ json: JSON, _ type: ValueType, _ path: String, _ error: @escaping (String) -> APIStatus
  ) throws(APIStatus) -> JSON? {
    let mismatch = { (wanted: String) in
      error("json: cannot unmarshal \(json.typeName) into \(path.isEmpty ? "object" : path) of type \(wanted)")
    }
    if json.isNull { return nil }
    switch type.shape {
    case .object, .map:
      guard case .object(let fields) = json else { throw mismatch(type.name ?? "map") }
      var decoded: [String: JSON] = [:]
      for (name, value) in fields {
        let below = path.isEmpty ? name : "\(path).\(name)"
        guard let field = type.field(name) else {
          unknown.append(below)
          continue
        }
        if let value = try decode(value, field, below, error) {
          decoded[name] = value
        } else if type.shape == .map, field.shape == .string {
          // Go decodes null as the empty text.
          decoded[name] = ""
        }
      }
      return .object(decoded)
    case .list:
      guard case .array(let values) = json, let element = type.element else { throw mismatch("list") }
      var decoded: [JSON] = []
      for (index, value) in values.enumerated() {
        if let value = try decode(value, element, "\(path)[\(index)]", error) {
          decoded.append(value)
        } else if element.shape == .object {
          decoded.append(.empty)
        } else {
          throw error("\(path)[\(index)] is null")
        }
      }
      return .array(decoded)
    case .string:
      guard case .string = json else { throw mismatch("string") }
    case .time:
      guard case .string(let text) = json else { throw mismatch("string") }
      if RFC3339.seconds(text) == nil {
        throw error("parsing time \"\(text.prefix(60))\" as \"2006-01-02T15:04:05Z07:00\": \(path) is no time")
      }
    case .integer:
      guard case .integer(let number) = json else { throw mismatch("integer") }
      let field = path.split(separator: ".").last.map(String.init) ?? ""
      if !Self.wide.contains(field), Int32(exactly: number) == nil {
        throw error("json: cannot unmarshal number \(number) into \(path) of type int32")
      }
    case .boolean:
      guard case .bool = json else { throw mismatch("bool") }
    case .quantity:
      switch json {
      case .integer(let number): return .string(String(number))
      case .decimal(let number): return .string("\(number)")
      case .string: break
      default: throw mismatch("quantity")
      }
    case .any:
      switch json {
      case .integer, .string, .object: break
      default: throw mismatch("a string or an integer")
      }
    }
    return json
  }

  /// The fields with 64 bits. All others have 32.
  private static let wide: Set<String> = [
    "generation", "observedGeneration", "terminationGracePeriodSeconds", "activeDeadlineSeconds", "runAsUser",
    "runAsGroup", "fsGroup", "tolerationSeconds", "deletionGracePeriodSeconds", "sizeBytes", "expirationSeconds",
    "startingDeadlineSeconds", "seconds",
  ]
}

extension JSON {
  /// As Go's decoder names it.
  fileprivate var typeName: String {
    switch self {
    case .null: "null"
    case .bool: "bool"
    case .integer, .decimal: "number"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }
}
