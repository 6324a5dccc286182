public import Text

/// Changes of a JSON document, one after another (RFC 6902).
public struct JSONPatch: Hashable, Sendable {
  public enum Operation: Hashable, Sendable {
    case add(JSON, at: JSONPointer)
    case remove(JSONPointer)
    case replace(JSONPointer, by: JSON)
    case move(from: JSONPointer, to: JSONPointer)
    case copy(from: JSONPointer, to: JSONPointer)
    case test(JSONPointer, is: JSON)
  }

  /// `maxJSONPatchOperations` in the API server's `patch.go`.
  public static let operationLimit = 10_000
  /// What all `copy` operations may copy together, in bytes: the API server's `JSONPatchMaxCopyBytes`. Without a limit,
  /// a few copies of copies are larger than any memory.
  public static let copyLimit = 3 << 20
  /// How deep values may lie in each other. Copies could be deeper than any request.
  public static let depthLimit = 1000

  public let operations: [Operation]

  public init(_ operations: [Operation]) { self.operations = operations }

  /// Throws `badRequest` for what is no list of objects, `tooLarge` for too many, and `invalid` for an operation that is
  /// none, as the API server does.
  public init(_ json: JSON) throws(APIStatus) {
    guard case .array(let values) = json, values.allSatisfy({ if case .object = $0 { true } else { false } }) else {
      throw APIStatus(.badRequest, "error decoding patch: a JSON patch is a list of operations")
    }
    guard values.count <= Self.operationLimit else {
      throw APIStatus(
        .tooLarge,
        "The allowed maximum operations in a JSON patch is \(Self.operationLimit), got \(values.count)")
    }
    var operations: [Operation] = []
    for value in values { operations.append(try Operation(value)) }
    self.operations = operations
  }

  /// The document with all operations done. Throws `invalid` if one fails.
  public func applied(to document: JSON) throws(APIStatus) -> JSON {
    var document = document
    var copied = 0
    for operation in operations {
      switch operation {
      case .add(let value, let place): try document.change(.insert(value), at: place)
      case .remove(let place): try document.change(.remove, at: place)
      case .replace(let place, let value): try document.change(.replace(value), at: place)
      case .test(let place, let expected):
        guard try document.value(at: place) == expected else {
          throw .failedPatch("testing value \(place.text) failed: test failed", at: place)
        }
      case .copy(let from, let place):
        let value = try document.value(at: from)
        copied += value.bytes.count
        guard copied <= Self.copyLimit else {
          throw .failedPatch("the copies are larger than \(Self.copyLimit) bytes together", at: place)
        }
        try document.change(.insert(value), at: place)
      case .move(let from, let place):
        let value = try document.value(at: from)
        guard from != place else { continue }
        // RFC 6902, section 4.4: a place can't be moved into one of its children.
        guard !from.contains(place) else { throw .failedPatch("\(from.text) can't be moved into itself", at: place) }
        try document.change(.remove, at: from)
        try document.change(.insert(value), at: place)
      }
    }
    return document
  }
}

extension JSONPatch.Operation {
  fileprivate init(_ json: JSON) throws(APIStatus) {
    let value = { () throws(APIStatus) -> JSON in
      guard let value = json["value"] else { throw .failedPatch("operation, missing value field: missing value") }
      return value
    }
    let pointer = { (field: String) throws(APIStatus) -> JSONPointer in
      guard let text = json[field]?.string else {
        throw .failedPatch("operation missing \(field) field: missing value")
      }
      guard let pointer = JSONPointer(text) else { throw .failedPatch("\(text) is no JSON pointer") }
      return pointer
    }
    switch json["op"]?.string {
    case "add": self = .add(try value(), at: try pointer("path"))
    case "remove": self = .remove(try pointer("path"))
    case "replace": self = .replace(try pointer("path"), by: try value())
    case "move": self = .move(from: try pointer("from"), to: try pointer("path"))
    case "copy": self = .copy(from: try pointer("from"), to: try pointer("path"))
    case "test": self = .test(try pointer("path"), is: try value())
    case let other: throw .failedPatch("Unexpected kind: \(other ?? "unknown")")
    }
  }
}

extension APIStatus {
  /// The API server's message doesn't say which operation failed; the cause does.
  fileprivate static func failedPatch(_ problem: String, at place: JSONPointer? = nil) -> APIStatus {
    APIStatus(
      .invalid, "the server rejected our request due to an error in our request",
      causes: [.init(reason: "UnexpectedServerResponse", message: problem, field: place?.text ?? "")])
  }

  fileprivate static func absent(_ place: JSONPointer) -> APIStatus {
    failedPatch("doc is missing path: \(place.text): missing value", at: place)
  }
}

extension JSON {
  fileprivate enum Change {
    case insert(JSON)
    case replace(JSON)
    case remove

    var value: JSON? {
      switch self {
      case .insert(let value), .replace(let value): value
      case .remove: nil
      }
    }
  }

  fileprivate func value(at place: JSONPointer) throws(APIStatus) -> JSON {
    var value = self
    for token in place.tokens {
      switch value {
      case .object(let fields):
        guard let field = fields[token] else { throw .absent(place) }
        value = field
      case .array(let values):
        guard let index = Self.index(token, in: values.indices) else { throw .absent(place) }
        value = values[index]
      case .null, .bool, .integer, .decimal, .string: throw .absent(place)
      }
    }
    return value
  }

  fileprivate mutating func change(_ change: Change, at place: JSONPointer) throws(APIStatus) {
    if let value = change.value, place.tokens.count + value.depth > JSONPatch.depthLimit {
      throw .failedPatch("more than \(JSONPatch.depthLimit) values lie in each other", at: place)
    }
    try self.change(change, place.tokens[...], place)
  }

  /// Leaves a broken document if it throws.
  private mutating func change(
    _ change: Change, _ tokens: ArraySlice<String>, _ place: JSONPointer
  ) throws(APIStatus) {
    guard let token = tokens.first else {
      guard let value = change.value else { throw .failedPatch("the whole document can't be removed", at: place) }
      self = value
      return
    }
    let rest = tokens.dropFirst()
    switch self {
    case .object(var fields):
      // Two references would copy all fields.
      self = .null
      if rest.isEmpty, case .insert(let value) = change {
        fields[token] = value
      } else if fields[token] == nil {
        throw .absent(place)
      } else if rest.isEmpty {
        fields[token] = change.value
      } else {
        try fields[token]?.change(change, rest, place)
      }
      self = .object(fields)
    case .array(var values):
      self = .null
      if rest.isEmpty, case .insert(let value) = change {
        // RFC 6902, section 4.1: the index may be the number of values, which `-` stands for.
        guard let index = token == "-" ? values.count : Self.index(token, in: 0..<values.count + 1) else {
          throw .absent(place)
        }
        values.insert(value, at: index)
      } else {
        guard let index = Self.index(token, in: values.indices) else { throw .absent(place) }
        if !rest.isEmpty {
          try values[index].change(change, rest, place)
        } else if let value = change.value {
          values[index] = value
        } else {
          values.remove(at: index)
        }
      }
      self = .array(values)
    case .null, .bool, .integer, .decimal, .string: throw .absent(place)
    }
  }

  /// RFC 6901, section 4: digits without leading zeros.
  private static func index(_ token: String, in indices: Range<Int>) -> Int? {
    guard token.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      token == "0" || !token.hasPrefix("0"), let index = Int(token)
    else { return nil }
    return indices.contains(index) ? index : nil
  }

  /// How many values lie in each other at most.
  private var depth: Int {
    switch self {
    case .object(let fields): 1 + (fields.values.lazy.map(\.depth).max() ?? 0)
    case .array(let values): 1 + (values.lazy.map(\.depth).max() ?? 0)
    case .null, .bool, .integer, .decimal, .string: 0
    }
  }
}
