/// A value in YAML's flow style, on one line.
enum YAML {
  case string(String)
  case number(Int)
  case bool(Bool)
  case list([YAML])
  case mapping([(String, YAML)])

  var text: String {
    switch self {
    case .string(let text): Self.isPlain(text) ? text : Self.quoted(text)
    case .number(let number): "\(number)"
    case .bool(let value): "\(value)"
    case .list(let items): "[" + items.map(\.text).joined(separator: ", ") + "]"
    case .mapping(let entries):
      "{" + entries.map { "\(YAML.string($0).text): \($1.text)" }.joined(separator: ", ") + "}"
    }
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
  init(stringLiteral text: String) { self = .string(text) }
}
