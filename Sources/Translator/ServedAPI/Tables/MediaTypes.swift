/// What a client accepts as an answer: the media types of an Accept header, the one that it likes most first.
public struct MediaTypes: Hashable, Sendable {
  /// One of them: `application/json;as=Table;v=v1;g=meta.k8s.io`.
  struct Range: Hashable, Sendable {
    /// `application/json`, in lower case.
    let name: String
    /// `as`, `g`, `v`; names in lower case.
    let parameters: [String: String]
  }

  let ranges: [Range]

  /// By their quality, then those without `*` first, then as they stand there (RFC 9110, section 12.5.1). No header
  /// accepts everything.
  public init(accept: String) {
    var rated: [(range: Range, quality: Double, stars: Int, place: Int)] = []
    for (place, text) in accept.split(separator: ",").enumerated() {
      let parts = text.split(separator: ";").map(\.trimmed)
      guard let name = parts.first?.lowercased(), !name.isEmpty else { continue }
      var parameters: [String: String] = [:]
      for part in parts.dropFirst() {
        let sides = part.split(separator: "=", maxSplits: 1).map(\.trimmed)
        if let key = sides.first, let value = sides.dropFirst().first { parameters[key.lowercased()] = value.unquoted }
      }
      let quality = parameters.removeValue(forKey: "q").map { Double($0) ?? 0 } ?? 1
      if quality > 0 {
        rated.append((Range(name: name, parameters: parameters), quality, name.count { $0 == "*" }, place))
      }
    }
    ranges = rated.sorted { ($1.quality, $0.stars, $0.place) < ($0.quality, $1.stars, $1.place) }.map(\.range)
    acceptsEverything = accept.allSatisfy(\.isWhitespace)
  }

  private let acceptsEverything: Bool

  /// Whether JSON is a right answer. It isn't for a client that accepts protobuf alone.
  public var acceptsJSON: Bool { acceptsEverything || ranges.contains(where: \.includesJSON) }

  /// The first rendering among those that the client accepts as JSON and that a server knows. `nil` if there is none.
  func first<Rendering>(_ rendering: (_ asked: Asked) -> Rendering?) -> Rendering? {
    if acceptsEverything { return rendering(Asked()) }
    for range in ranges where range.includesJSON {
      if let rendering = rendering(Asked(range.parameters)) { return rendering }
    }
    return nil
  }

  /// As what an object is asked for: `as=Table;v=v1;g=meta.k8s.io`. Nothing at all: as itself.
  struct Asked: Hashable, Sendable {
    let kind: String
    let group: String
    let version: String

    init(_ parameters: [String: String] = [:]) {
      kind = parameters["as"] ?? ""
      group = parameters["g"] ?? ""
      version = parameters["v"] ?? ""
    }

    var isItself: Bool { kind.isEmpty }
  }
}

extension MediaTypes.Range {
  fileprivate var includesJSON: Bool { ["application/json", "application/*", "*/*"].contains(name) }
}

extension Substring {
  fileprivate var trimmed: Substring {
    let start = drop(while: \.isWhitespace)
    return start.lastIndex { !$0.isWhitespace }.map { start[...$0] } ?? ""
  }

  /// The value of a parameter, which may be in quotes.
  fileprivate var unquoted: String {
    count >= 2 && first == "\"" && last == "\"" ? String(dropFirst().dropLast()) : String(self)
  }
}
