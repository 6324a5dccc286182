extension JSON {
  /// Values may lie this deep in each other.
  public static let depthLimit = 1000

  /// Reads one JSON text (RFC 8259). Throws for what is none, for a key that is in an object twice, and for values that
  /// are nested deeper than `depthLimit`. The bytes are taken to be UTF-8.
  public init(parsing bytes: [UInt8]) throws(NotJSON) {
    self = try bytes.withUnsafeBufferPointer { (bytes) throws(NotJSON) in
      var parser = JSONParser(bytes: bytes)
      let value = try parser.value(0)
      parser.skipSpace()
      if parser.place < bytes.count { throw parser.fault("there is more text after the end") }
      return value
    }
  }

  public init(parsing text: String) throws(NotJSON) { try self.init(parsing: Array(text.utf8)) }
}

private struct JSONParser {
  let bytes: UnsafeBufferPointer<UInt8>
  var place = 0

  init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  func fault(_ problem: String) -> NotJSON {
    let line = bytes[..<min(place, bytes.count)].reduce(1) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
    return NotJSON(problem: problem, line: line, offset: place)
  }

  /// 0 at the end.
  private var next: UInt8 { place < bytes.count ? bytes[place] : 0 }

  mutating func skipSpace() {
    while place < bytes.count, [0x20, 0x0a, 0x0d, 0x09].contains(bytes[place]) { place += 1 }
  }

  mutating func value(_ depth: Int) throws(NotJSON) -> JSON {
    if depth > JSON.depthLimit { throw fault("values are nested too deeply") }
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return try object(depth)
    case UInt8(ascii: "["): return try array(depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), 0x30...0x39: return try number()
    default: throw fault(place < bytes.count ? "a character that JSON does not have here" : "a value is missing")
    }
  }

  private mutating func word(_ text: StaticString, _ value: JSON) throws(NotJSON) -> JSON {
    for index in 0..<text.utf8CodeUnitCount {
      guard next == text.utf8Start[index] else { throw fault("neither true, false nor null") }
      place += 1
    }
    return value
  }

  private mutating func object(_ depth: Int) throws(NotJSON) -> JSON {
    place += 1
    var fields: [String: JSON] = [:]
    skipSpace()
    if next == UInt8(ascii: "}") {
      place += 1
      return .object(fields)
    }
    while true {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw fault("a key is missing") }
      let key = try string()
      skipSpace()
      guard next == UInt8(ascii: ":") else { throw fault("a colon is missing") }
      place += 1
      if fields.updateValue(try value(depth + 1), forKey: key) != nil {
        throw fault("the key \"\(key.cut(to: 60))\" appears twice in one object")
      }
      skipSpace()
      switch next {
      case UInt8(ascii: ","): place += 1
      case UInt8(ascii: "}"):
        place += 1
        return .object(fields)
      default: throw fault("neither a comma nor the end of an object")
      }
    }
  }

  private mutating func array(_ depth: Int) throws(NotJSON) -> JSON {
    place += 1
    var values: [JSON] = []
    skipSpace()
    if next == UInt8(ascii: "]") {
      place += 1
      return .array(values)
    }
    while true {
      values.append(try value(depth + 1))
      skipSpace()
      switch next {
      case UInt8(ascii: ","): place += 1
      case UInt8(ascii: "]"):
        place += 1
        return .array(values)
      default: throw fault("neither a comma nor the end of an array")
      }
    }
  }

  private mutating func number() throws(NotJSON) -> JSON {
    let start = place
    if next == UInt8(ascii: "-") { place += 1 }
    let first = next
    guard try digits() == 1 || first != UInt8(ascii: "0") else { throw fault("a number that begins with 0") }
    var isInteger = true
    if next == UInt8(ascii: ".") {
      isInteger = false
      place += 1
      _ = try digits()
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      isInteger = false
      place += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { place += 1 }
      _ = try digits()
    }
    let text = String(decoding: bytes[start..<place], as: UTF8.self)
    if isInteger, let value = Int(text) { return .integer(value) }
    guard let value = Double(text), value.isFinite else { throw fault("a number that is too large") }
    return Int(exactly: value).map(JSON.integer) ?? .decimal(value)
  }

  private mutating func digits() throws(NotJSON) -> Int {
    let start = place
    while 0x30...0x39 ~= next { place += 1 }
    if place == start { throw fault("a digit is missing") }
    return place - start
  }

  private mutating func string() throws(NotJSON) -> String {
    place += 1
    let start = place
    while place < bytes.count {
      switch bytes[place] {
      case UInt8(ascii: "\""):
        defer { place += 1 }
        return String(decoding: bytes[start..<place], as: UTF8.self)
      case UInt8(ascii: "\\"): return try string(from: start)
      case 0..<0x20: throw fault("a control character in a string")
      default: place += 1
      }
    }
    throw fault("a quote is not closed")
  }

  /// A string with escapes, of which the beginning has none.
  private mutating func string(from start: Int) throws(NotJSON) -> String {
    var text = Array(bytes[start..<place])
    while place < bytes.count {
      let byte = bytes[place]
      place += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case 0..<0x20: throw fault("a control character in a string")
      case UInt8(ascii: "\\"):
        let escape = next
        place += 1
        switch escape {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(escape)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text += Array(String(Character(try scalar())).utf8)
        default: throw fault("an escape that JSON does not have")
        }
      default: text.append(byte)
      }
    }
    throw fault("a quote is not closed")
  }

  /// After `\u`. Half of a surrogate pair becomes U+FFFD, as in Go.
  private mutating func scalar() throws(NotJSON) -> Unicode.Scalar {
    let high = try unit()
    if 0xd800...0xdbff ~= high, next == UInt8(ascii: "\\"), place + 1 < bytes.count,
      bytes[place + 1] == UInt8(ascii: "u")
    {
      let before = place
      place += 2
      let low = try unit()
      if 0xdc00...0xdfff ~= low {
        return Unicode.Scalar(0x10000 + (high - 0xd800) << 10 + (low - 0xdc00)) ?? "\u{fffd}"
      }
      place = before
    }
    return Unicode.Scalar(high) ?? "\u{fffd}"
  }

  private mutating func unit() throws(NotJSON) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = Character(Unicode.Scalar(next)).hexDigitValue, next != 0 else {
        throw fault("a hexadecimal digit is missing")
      }
      value = value << 4 | UInt32(digit)
      place += 1
    }
    return value
  }
}
