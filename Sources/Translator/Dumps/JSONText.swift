/// A JSON value. Numbers are kept as text, because nft prints integers.
enum JSONValue: Equatable {
  case null
  case bool(Bool)
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  subscript(key: String) -> JSONValue? {
    guard case .object(let fields) = self else { return nil }
    return fields[key]
  }

  var string: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }

  /// A string, or the text of a number.
  var word: String? {
    switch self {
    case .string(let text), .number(let text): text
    default: nil
    }
  }

  var array: [JSONValue]? {
    guard case .array(let values) = self else { return nil }
    return values
  }

  /// The field of an object that has only one.
  var single: (key: String, value: JSONValue)? {
    guard case .object(let fields) = self, fields.count == 1, let field = fields.first else { return nil }
    return (field.key, field.value)
  }
}

/// Reads JSON (RFC 8259) from its beginning. It keeps track of the position, so that values have a line.
struct JSONText {
  private let bytes: [UInt8]
  private(set) var index = 0
  private(set) var line = 1
  /// More than the nesting of any nft listing.
  private static let maximumDepth = 64

  init(_ text: String) { bytes = Array(text.utf8) }

  /// Returns the next byte after white space.
  mutating func peek() -> UInt8? {
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\n"): line += 1
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): break
      default: return bytes[index]
      }
      index += 1
    }
    return nil
  }

  mutating func take(_ byte: Unicode.Scalar) -> Bool {
    guard peek() == UInt8(ascii: byte) else { return false }
    index += 1
    return true
  }

  mutating func expect(_ byte: Unicode.Scalar) throws(Problem) {
    guard take(byte) else { throw Problem(peek() == nil ? "the text ends inside a value" : "\(byte) is missing") }
  }

  /// The text from `start` to the current position.
  func text(from start: Int) -> String {
    guard start <= index, index <= bytes.count else { return "" }
    return String(decoding: bytes[start..<index], as: UTF8.self)
  }

  /// The text around the current position, within its line.
  var surroundings: String {
    let place = min(index, bytes.count)
    let isEnd = { (byte: UInt8) in byte == UInt8(ascii: "\n") }
    var start = (bytes[..<place].lastIndex(where: isEnd) ?? -1) + 1
    var end = bytes[place...].firstIndex(where: isEnd) ?? bytes.count
    start = max(start, place - 100)
    end = min(end, place + 100)
    while start < end, bytes[start] & 0xc0 == 0x80 { start += 1 }
    while end < bytes.count, end > start, bytes[end] & 0xc0 == 0x80 { end -= 1 }
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }

  mutating func value(depth: Int = 0) throws(Problem) -> JSONValue {
    guard depth < Self.maximumDepth else { throw Problem("values are nested too deeply") }
    switch peek() {
    case UInt8(ascii: "{"): return try object(depth)
    case UInt8(ascii: "["): return try array(depth)
    case UInt8(ascii: "\""): return .string(try string())
    default:
      let start = index
      while index < bytes.count, isPlain(bytes[index]) { index += 1 }
      let word = text(from: start)
      switch word {
      case "null": return .null
      case "true": return .bool(true)
      case "false": return .bool(false)
      case "": throw Problem(peek() == nil ? "the text ends inside a value" : "a value is missing")
      default:
        guard (word.utf8.first ?? 0) < 58, Double(word) != nil else { throw Problem("\(word) is not JSON") }
        return .number(word)
      }
    }
  }

  /// Digits, letters, `+`, `-`, `.`
  private func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case 43, 45, 46, 48...57, 65...90, 97...122: true
    default: false
    }
  }

  private mutating func object(_ depth: Int) throws(Problem) -> JSONValue {
    try expect("{")
    var fields: [String: JSONValue] = [:]
    if take("}") { return .object([:]) }
    repeat {
      guard peek() == UInt8(ascii: "\"") else { throw Problem("a name is missing") }
      let key = try string()
      try expect(":")
      guard fields.updateValue(try value(depth: depth + 1), forKey: key) == nil else {
        throw Problem("\(key) appears twice")
      }
    } while take(",")
    try expect("}")
    return .object(fields)
  }

  private mutating func array(_ depth: Int) throws(Problem) -> JSONValue {
    try expect("[")
    var values: [JSONValue] = []
    if take("]") { return .array([]) }
    repeat { values.append(try value(depth: depth + 1)) } while take(",")
    try expect("]")
    return .array(values)
  }

  mutating func string() throws(Problem) -> String {
    try expect("\"")
    var content: [UInt8] = []
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: content, as: UTF8.self)
      case UInt8(ascii: "\\"): try escape(&content)
      case 0..<32:
        index -= 1
        throw Problem("a control character in a string")
      default: content.append(byte)
      }
    }
    throw Problem("a quote is not closed")
  }

  private mutating func escape(_ content: inout [UInt8]) throws(Problem) {
    guard index < bytes.count else { throw Problem("a quote is not closed") }
    let byte = bytes[index]
    index += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
    case UInt8(ascii: "b"): content.append(8)
    case UInt8(ascii: "f"): content.append(12)
    case UInt8(ascii: "n"): content.append(10)
    case UInt8(ascii: "r"): content.append(13)
    case UInt8(ascii: "t"): content.append(9)
    case UInt8(ascii: "u"):
      var code = try hexDigits()
      if 0xd800..<0xdc00 ~= code, bytes[index...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) {
        index += 2
        let low = try hexDigits()
        guard 0xdc00..<0xe000 ~= low else { throw Problem("half of a surrogate pair") }
        code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw Problem("half of a surrogate pair") }
      content += Array(String(scalar).utf8)
    default: throw Problem("an escape that JSON does not have")
    }
  }

  private mutating func hexDigits() throws(Problem) -> UInt32 {
    guard index + 4 <= bytes.count else { throw Problem("a quote is not closed") }
    guard let code = hexadecimal("0x" + String(decoding: bytes[index..<index + 4], as: UTF8.self)) else {
      throw Problem("an escape that JSON does not have")
    }
    index += 4
    return code
  }
}
