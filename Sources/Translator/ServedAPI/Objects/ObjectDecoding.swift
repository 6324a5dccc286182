internal import Manifests
public import Text

/// A request's object as Go decodes it into its type: without unknown fields and nulls.
public struct ObjectDecoding: Sendable {
  public private(set) var json: JSON
  /// The paths of fields that the type doesn't have: `spec.containers[0].foo`. An API server leaves them out.
  public private(set) var unknown: [String] = []
  /// Where the decoding is: names of fields and places in lists. Text is made of it only for a message.
  private var path: [Step] = []

  private enum Step {
    case field(String)
    case entry(Int)
  }

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
      path = [.field("metadata")]
      fields["metadata"] = try decode(json["metadata"] ?? .empty, metadata, asked) ?? .empty
      self.json = .object(fields)
    } else if let value = ValueType(kind: type.kind, apiVersion: type.apiVersion) {
      self.json = try decode(json, value, asked) ?? .empty
    }
    for name in ["labels", "annotations"] where self.json["metadata"]?[name]?.fields.isEmpty == true {
      self.json["metadata"]?[name] = nil
    }
  }

  private var pathText: String {
    path.reduce("") { text, step in
      switch step {
      case .field(let name): text.isEmpty ? name : "\(text).\(name)"
      case .entry(let index): "\(text)[\(index)]"
      }
    }
  }

  /// `nil` for null.
  private mutating func decode(
    _ json: JSON, _ type: ValueType, _ error: (String) -> APIStatus
  ) throws(APIStatus) -> JSON? {
    switch type.shape {
    case .object, .map:
      if json.isNull { return nil }
      guard case .object(let fields) = json else { throw mismatch(json, type.name ?? "map", error) }
      return try decode(fields, type, error)
    case .list:
      if json.isNull { return nil }
      guard case .array(let values) = json, let element = type.element else { throw mismatch(json, "list", error) }
      return try decode(values, element, error)
    default:
      if json.isNull { return nil }
      return try decode(scalar: json, type, error)
    }
  }

  private mutating func decode(
    _ fields: [String: JSON], _ type: ValueType, _ error: (String) -> APIStatus
  ) throws(APIStatus) -> JSON {
    var decoded: [String: JSON] = [:]
    decoded.reserveCapacity(fields.count)
    for (name, value) in fields {
      path.append(.field(name))
      if let field = type.field(name) {
        if let value = try decode(value, field, error) {
          decoded[name] = value
        } else if type.shape == .map, field.shape == .string {
          // Go decodes null as the empty text.
          decoded[name] = ""
        }
      } else {
        unknown.append(pathText)
      }
      path.removeLast()
    }
    return .object(decoded)
  }

  private mutating func decode(
    _ values: [JSON], _ element: ValueType, _ error: (String) -> APIStatus
  ) throws(APIStatus) -> JSON {
    var decoded: [JSON] = []
    decoded.reserveCapacity(values.count)
    for (index, value) in values.enumerated() {
      path.append(.entry(index))
      if let value = try decode(value, element, error) {
        decoded.append(value)
      } else if element.shape == .object {
        decoded.append(.empty)
      } else {
        throw error("\(pathText) is null")
      }
      path.removeLast()
    }
    return .array(decoded)
  }

  private func decode(
    scalar json: JSON, _ type: ValueType, _ error: (String) -> APIStatus
  ) throws(APIStatus) -> JSON {
    switch type.shape {
    case .string:
      guard case .string = json else { throw mismatch(json, "string", error) }
    case .time:
      guard case .string(let text) = json else { throw mismatch(json, "string", error) }
      if RFC3339.seconds(text) == nil {
        throw error("parsing time \"\(text.prefix(60))\" as \"2006-01-02T15:04:05Z07:00\": \(pathText) is no time")
      }
    case .integer:
      guard case .integer(let number) = json else { throw mismatch(json, "integer", error) }
      if Int32(exactly: number) == nil {
        guard case .field(let name)? = path.last, Self.wide.contains(name) else {
          throw error("json: cannot unmarshal number \(number) into \(pathText) of type int32")
        }
      }
    case .boolean:
      guard case .bool = json else { throw mismatch(json, "bool", error) }
    case .quantity:
      switch json {
      case .integer(let number): return .string(String(number))
      case .decimal(let number): return .string("\(number)")
      case .string: break
      default: throw mismatch(json, "quantity", error)
      }
    case .any:
      switch json {
      case .integer, .string, .object: break
      default: throw mismatch(json, "a string or an integer", error)
      }
    case .object, .map, .list: break
    }
    return json
  }

  private func mismatch(_ json: JSON, _ wanted: String, _ error: (String) -> APIStatus) -> APIStatus {
    let place = pathText
    return error(
      "json: cannot unmarshal \(json.typeName) into \(place.isEmpty ? "object" : place) of type \(wanted)")
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
