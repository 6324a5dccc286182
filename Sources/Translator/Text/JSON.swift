/// A JSON value (RFC 8259). Integers that fit are kept apart from other numbers, since Go refuses `1.0` where it wants an
/// integer.
public enum JSON: Hashable, Sendable {
  case null
  case bool(Bool)
  case integer(Int)
  case decimal(Double)
  case string(String)
  case array([JSON])
  case object([String: JSON])

  public static let empty = JSON.object([:])

  /// The field of an object. `nil` if there is none, or this is no object. Setting it turns anything else into an object.
  public subscript(key: String) -> JSON? {
    get {
      guard case .object(let fields) = self else { return nil }
      return fields[key]
    }
    set {
      if case .object(var fields) = self {
        // Two references would copy all fields.
        self = .null
        fields[key] = newValue
        self = .object(fields)
      } else {
        self = .object(newValue.map { [key: $0] } ?? [:])
      }
    }
  }

  /// A value below, by the names of fields. Setting it makes the objects on the way.
  public subscript(path: [String]) -> JSON? {
    get { path.reduce(self as JSON?) { $0?[$1] } }
    set {
      guard let first = path.first else { return }
      if path.count == 1 {
        self[first] = newValue
      } else {
        var inner = self[first] ?? .empty
        self[first] = nil
        inner[Array(path.dropFirst())] = newValue
        self[first] = inner
      }
    }
  }

  public var string: String? { if case .string(let text) = self { text } else { nil } }
  public var integer: Int? { if case .integer(let number) = self { number } else { nil } }
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The values of an array. Empty for anything else.
  public var array: [JSON] { if case .array(let values) = self { values } else { [] } }
  /// The fields of an object. Empty for anything else.
  public var fields: [String: JSON] { if case .object(let fields) = self { fields } else { [:] } }
  /// The fields of an object whose values are strings.
  public var strings: [String: String] { fields.compactMapValues(\.string) }
  public var isNull: Bool { self == .null }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: JSON...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSON)...) {
    self = .object(Dictionary(elements) { _, last in last })
  }
  /// An object of strings, such as labels.
  public init(_ strings: [String: String]) { self = .object(strings.mapValues(JSON.string)) }
}

extension JSON {
  /// The value as text without spaces, its objects' fields by name.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// The same in UTF-8.
  public var bytes: [UInt8] {
    var bytes: [UInt8] = []
    write(to: &bytes)
    // Of exactly this size: an array that grew may have twice the room.
    return Array(bytes[...])
  }

  /// Appends the text. What JSON has no number for becomes `null`.
  public func write(to bytes: inout [UInt8]) {
    switch self {
    case .null: bytes.append(contentsOf: "null".utf8)
    case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
    case .integer(let value): bytes.append(contentsOf: String(value).utf8)
    case .decimal(let value): bytes.append(contentsOf: (value.isFinite ? "\(value)" : "null").utf8)
    case .string(let text): text.writeJSON(to: &bytes)
    case .array(let values):
      bytes.append(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        value.write(to: &bytes)
      }
      bytes.append(UInt8(ascii: "]"))
    case .object(let fields):
      bytes.append(UInt8(ascii: "{"))
      for (index, key) in fields.keys.sorted().enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        key.writeJSON(to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        fields[key]?.write(to: &bytes)
      }
      bytes.append(UInt8(ascii: "}"))
    }
  }
}

extension String {
  /// Appends the text in quotes (RFC 8259, section 7).
  fileprivate func writeJSON(to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    for byte in utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(byte)
      case UInt8(ascii: "\n"): bytes.append(contentsOf: #"\n"#.utf8)
      case UInt8(ascii: "\t"): bytes.append(contentsOf: #"\t"#.utf8)
      case UInt8(ascii: "\r"): bytes.append(contentsOf: #"\r"#.utf8)
      case 0..<0x20:
        bytes.append(contentsOf: "\\u\(byte.hexadecimal(4))".utf8)
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
