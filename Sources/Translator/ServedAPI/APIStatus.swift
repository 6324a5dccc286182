public import Text

/// An answer that is no object: what an API server says of a failure, and of a deletion (`metav1.Status`).
public struct APIStatus: Error, Hashable, Sendable {
  /// `metav1.StatusReason`, with the HTTP status that belongs to it.
  public enum Reason: String, Hashable, Sendable {
    case badRequest = "BadRequest"
    case unauthorized = "Unauthorized"
    case forbidden = "Forbidden"
    case notFound = "NotFound"
    case methodNotAllowed = "MethodNotAllowed"
    case notAcceptable = "NotAcceptable"
    case alreadyExists = "AlreadyExists"
    case conflict = "Conflict"
    /// A resource version that the server has no longer, or not yet.
    case expired = "Expired"
    case tooLarge = "RequestEntityTooLarge"
    case unsupportedMediaType = "UnsupportedMediaType"
    case invalid = "Invalid"
    case internalError = "InternalError"

    public var code: Int {
      switch self {
      case .badRequest: 400
      case .unauthorized: 401
      case .forbidden: 403
      case .notFound: 404
      case .methodNotAllowed: 405
      case .notAcceptable: 406
      case .alreadyExists, .conflict: 409
      case .expired: 410
      case .tooLarge: 413
      case .unsupportedMediaType: 415
      case .invalid: 422
      case .internalError: 500
      }
    }
  }

  /// What is wrong with one field.
  public struct Cause: Hashable, Sendable {
    public let reason: String
    public let message: String
    public let field: String
    public init(reason: String, message: String, field: String) {
      self.reason = reason
      self.message = message
      self.field = field
    }
  }

  public let reason: Reason
  public let message: String
  /// `details`: the name, the group and the plural of the kind, as far as the failure is about an object.
  public var name: String?
  public var group: String?
  public var kind: String?
  public var causes: [Cause] = []

  public init(_ reason: Reason, _ message: String, causes: [Cause] = []) {
    self.reason = reason
    self.message = message
    self.causes = causes
  }

  /// About an object of a type, or about the type.
  public init(
    _ reason: Reason, _ message: String, _ type: ResourceType, _ name: String? = nil, causes: [Cause] = []
  ) {
    self.init(reason, message, causes: causes)
    self.name = name
    group = type.group
    kind = type.plural
  }

  public static func notFound(_ type: ResourceType, _ name: String) -> APIStatus {
    APIStatus(.notFound, "\(type.qualifiedPlural) \"\(name)\" not found", type, name)
  }

  /// What an API server says of a watch or list from a resource version that it doesn't have.
  public static func expired(_ asked: UInt64, newest: UInt64) -> APIStatus {
    APIStatus(.expired, "too old resource version: \(asked) (\(newest))")
  }

  public var json: JSON {
    var details: [String: JSON] = [:]
    if let name { details["name"] = .string(name) }
    if let group, !group.isEmpty { details["group"] = .string(group) }
    if let kind { details["kind"] = .string(kind) }
    if !causes.isEmpty {
      details["causes"] = .array(
        causes.map { ["reason": .string($0.reason), "message": .string($0.message), "field": .string($0.field)] })
    }
    var fields: JSON = [
      "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure", "message": .string(message),
      "reason": .string(reason.rawValue), "code": .integer(reason.code),
    ]
    if !details.isEmpty { fields["details"] = .object(details) }
    return fields
  }

  /// That an object was deleted, where its last state is not the answer.
  public static func success(_ type: ResourceType, _ name: String, uid: String) -> JSON {
    [
      "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success",
      "details": [
        "name": .string(name), "group": .string(type.group), "kind": .string(type.plural), "uid": .string(uid),
      ],
    ]
  }
}
