/// A value of a manifest, to be written.
package enum YAML {
  case string(String)
  case number(Int)
  case bool(Bool)
  case list([YAML])
  case mapping([(String, YAML)])

  /// In flow style, on one line.
  package var text: String {
    switch self {
    case .string(let text): Self.isPlain(text) ? text : Self.quoted(text)
    case .number(let number): "\(number)"
    case .bool(let value): "\(value)"
    case .list(let items): "[" + items.map(\.text).joined(separator: ", ") + "]"
    case .mapping(let entries):
      "{" + entries.map { "\(YAML.string($0).text): \($1.text)" }.joined(separator: ", ") + "}"
    }
  }

  /// In block style, as kubectl prints it, one string for each line.
  package var lines: [String] {
    if isOneLine { return [text] }
    switch self {
    case .string, .number, .bool: return [text]
    case .list(let items): return items.flatMap { $0.lines.asItem }
    case .mapping(let entries):
      return entries.flatMap { key, value -> [String] in
        let key = YAML.string(key).text
        if value.isOneLine { return ["\(key): \(value.text)"] }
        let indent = if case .mapping = value { "  " } else { "" }
        return ["\(key):"] + value.lines.map { indent + $0 }
      }
    }
  }

  private var isOneLine: Bool {
    switch self {
    case .string, .number, .bool: true
    case .list(let items): items.isEmpty
    case .mapping(let entries): entries.isEmpty
    }
  }

  /// As JSON, on one line, in the order of its entries.
  package var json: String {
    switch self {
    case .string(let text): Self.escaped(text)
    case .number(let number): "\(number)"
    case .bool(let value): "\(value)"
    case .list(let items): "[" + items.map(\.json).joined(separator: ", ") + "]"
    case .mapping(let entries): "{" + entries.map { "\(Self.escaped($0)): \($1.json)" }.joined(separator: ", ") + "}"
    }
  }

  private static func escaped(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f:
        let hex = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  /// Whether a word needs no quotes, because no YAML 1.1 reader reads it as anything but a string.
  private static func isPlain(_ text: String) -> Bool {
    let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"]
    guard let first = text.utf8.first, !words.contains(text.lowercased()) else { return false }
    let isLetter = { (byte: UInt8) in (65...90).contains(byte) || (97...122).contains(byte) }
    let isDigit = { (byte: UInt8) in (48...57).contains(byte) }
    let dots = text.utf8.filter { $0 == 46 }.count
    return text.utf8.allSatisfy { isLetter($0) || isDigit($0) || "-./_".utf8.contains($0) }
      && (isLetter(first) || isDigit(first) && dots == 3)
  }

  private static func quoted(_ text: String) -> String {
    "'" + text.replacing("'", with: "''") + "'"
  }
}

extension YAML: ExpressibleByStringLiteral {
  package init(stringLiteral text: String) { self = .string(text) }
}

extension [String] {
  /// The lines as one item of a list.
  package var asItem: [String] { enumerated().map { ($0 == 0 ? "- " : "  ") + $1 } }
}
