/// A request to the API, without what HTTP needs to carry it.
public struct APIRequest: Sendable {
  public enum Method: String, Hashable, Sendable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
    case options = "OPTIONS"
  }

  public var method: Method
  /// The parts of the path, without empty ones: `/api/v1/pods/` has three.
  public var path: [String]
  public var query: [String: String]
  /// The header `Accept`. Empty if there is none.
  public var accept: String
  /// The header `Content-Type`, without its parameters. Empty if there is none.
  public var contentType: String
  public var body: String
  /// Who asks: the header `User-Agent`.
  public var userAgent: String

  public init(
    _ method: Method, path: [String], query: [String: String] = [:], accept: String = "", contentType: String = "",
    body: String = "", userAgent: String = ""
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.accept = accept
    self.contentType = contentType
    self.body = body
    self.userAgent = userAgent
  }

  /// Why a body can't be read. `nil`: it can. kubectl sends protobuf with `create deployment` and the like.
  public static func refusal(ofBody contentType: String) -> APIStatus? {
    guard contentType.contains("protobuf") || contentType.contains("cbor") else { return nil }
    return APIStatus(
      .unsupportedMediaType,
      "this server reads JSON and YAML, and no protobuf: add --dry-run=client -o yaml and pipe it to kubectl apply -f -"
    )
  }

  /// Whether a parameter of the query is `true` or `1`.
  func asks(_ name: String) -> Bool { ["true", "1", "True", "TRUE", "t", "T"].contains(query[name] ?? "") }
}

extension APIRequest {
  /// Throws `invalid` for a value of a parameter that no API server knows, since it would be taken for another.
  func requireKnownValues() throws(APIStatus) {
    for (name, known) in [
      ("propagationPolicy", ["Foreground", "Background", "Orphan"]), ("dryRun", ["All"]),
      ("fieldValidation", ["Ignore", "Strict", "Warn"]), ("resourceVersionMatch", ["Exact", "NotOlderThan"]),
    ] {
      guard let value = query[name], !value.isEmpty, !known.contains(value) else { continue }
      throw APIStatus(
        .invalid,
        "\(name): Unsupported value: \"\(value.prefix(60))\": supported values: \(known.joined(separator: ", "))")
    }
    if query["resourceVersionMatch"]?.isEmpty == false, query["resourceVersion"]?.isEmpty ?? true,
      query["sendInitialEvents"] == nil
    {
      throw APIStatus(
        .invalid,
        "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided")
    }
    if let manager = query["fieldManager"], manager.utf8.count > 128 {
      throw APIStatus(.invalid, "fieldManager: Too long: may not be more than 128 bytes")
    }
  }
}
