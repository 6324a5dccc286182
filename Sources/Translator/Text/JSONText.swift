/// JSON (RFC 8259) for a YAML reader, which checks the grammar and reads the values.
///
/// YAML's flow style includes JSON and accepts more. This refuses what isn't JSON: comments, anchors, tags, single
/// quotes, other escapes, and strings that go on in the next line.
public struct JSONText: Sendable {
  /// An object or an array.
  public struct Part: Hashable, Sendable {
    /// From 1.
    public let line: Int
    /// In bytes.
    public let range: Range<Int>
  }

  /// The text in UTF-8.
  public let bytes: [UInt8]
  /// The objects and arrays on the third level, in order: `{…}` in `{"nftables": [{…}, {…}]}`.
  public let parts: [Part]

  /// More than the nesting of any nft listing.
  private static let maximumDepth = 64

  public init(_ text: String) throws(NotJSON) {
    bytes = Array(text.utf8)
    var parts: [Part] = []
    var line = 1
    /// The lines and offsets of the open objects and arrays.
    var open: [(line: Int, offset: Int)] = []
    /// The last byte that is neither in a string nor white space.
    var last: UInt8?
    var isInString = false
    var isEscaped = false
    for (offset, byte) in bytes.enumerated() {
      func fault(_ problem: String) -> NotJSON { NotJSON(problem: problem, line: line, offset: offset) }
      if isInString {
        if byte < 0x20 { throw fault("a control character in a string") }
        if isEscaped, !#""\/bfnrtu"#.utf8.contains(byte) { throw fault("an escape that JSON does not have") }
        if byte == UInt8(ascii: "\""), !isEscaped { isInString = false }
        isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
        continue
      }
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): continue
      case UInt8(ascii: "\n"):
        line += 1
        continue
      case _ where last != nil && open.isEmpty: throw fault("there is more text after the end")
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        guard open.count < Self.maximumDepth else { throw fault("values are nested too deeply") }
        open.append((line, offset))
      case _ where open.isEmpty: throw fault("neither an object nor an array")
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if last == UInt8(ascii: ",") { throw fault("a value is missing") }
        if let start = open.popLast(), open.count == 2 {
          parts.append(Part(line: start.line, range: start.offset..<offset + 1))
        }
      case UInt8(ascii: "\""): isInString = true
      // `,`, `:`, and what numbers, `true`, `false` and `null` consist of.
      case 0x2b...0x2e, 0x30...0x3a, 0x41...0x5a, 0x61...0x7a: break
      default: throw fault("a character that JSON does not have here")
      }
      last = byte
    }
    guard last != nil, open.isEmpty else {
      let problem = isInString ? "a quote is not closed" : "the text ends inside a value"
      throw NotJSON(problem: problem, line: line, offset: bytes.count)
    }
    self.parts = parts
  }

  /// The text of a part.
  public func text(of part: Part) -> String { String(decoding: bytes[part.range], as: UTF8.self) }

  /// The text for a YAML reader, with the same values and line numbers. Parts that begin with `prefix` are empty.
  public func yaml(omitting prefix: String? = nil) -> String {
    // YAML counts a carriage return as a line, and allows no tab before the first bracket.
    var bytes = bytes.map { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\t") ? UInt8(ascii: " ") : $0 }
    if let prefix {
      for part in parts where bytes[part.range].starts(with: prefix.utf8) {
        for index in part.range.dropFirst().dropLast() where bytes[index] != UInt8(ascii: "\n") {
          bytes[index] = UInt8(ascii: " ")
        }
      }
    }
    return String(decoding: bytes, as: UTF8.self).jsonAsYAML
  }
}

/// Why a text is not JSON, and where.
public struct NotJSON: Error, Hashable, Sendable {
  public let problem: String
  /// From 1.
  public let line: Int
  /// In bytes.
  public let offset: Int

  public init(problem: String, line: Int, offset: Int) {
    self.problem = problem
    self.line = line
    self.offset = offset
  }
}
