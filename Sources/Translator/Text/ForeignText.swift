// Text of others: names, comments, file names. What could act on a terminal is written as an escape, and nothing is
// longer than a reader can use.

extension String {
  /// Input text for a message: in quotes, with at most 60 characters. Of a longer text the length is given.
  public var quoted: String {
    let count = count
    return count > 60 ? "\"\(prefix(57))...\" (\(count) characters)" : "\"\(self)\""
  }

  /// The text with at most `limit` characters. Of a longer text the end is replaced by its length.
  public func cut(to limit: Int) -> String {
    // Characters have at least one byte.
    if utf8.count <= limit { return self }
    let count = count
    return count <= limit ? self : "\(prefix(limit))... (\(count) characters)"
  }

  /// The text with escapes for all characters that a terminal doesn't print as they are, line breaks among them: `\n`,
  /// `\x1b`, `\u202e`.
  public var onOneLine: String { escaping(\.actsOnTerminal) }

  /// The same, but lines remain lines.
  public var printable: String { escaping { $0.actsOnTerminal && $0 != "\n" } }

  private func escaping(_ isEscaped: (Unicode.Scalar) -> Bool) -> String {
    guard unicodeScalars.contains(where: isEscaped) else { return self }
    var result = String.UnicodeScalarView()
    for scalar in unicodeScalars {
      if isEscaped(scalar) { result.append(contentsOf: scalar.escape.unicodeScalars) } else { result.append(scalar) }
    }
    return String(result)
  }
}

extension Unicode.Scalar {
  /// Whether the character is a control character (C0, DEL, C1), a line or paragraph separator, or a format character:
  /// one that changes the direction of text (UAX #9), or one that nobody sees.
  public var actsOnTerminal: Bool {
    if value < 0x7f { return value < 0x20 }
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: return true
    default: return false
    }
  }

  /// `\u2028`, as JSON escapes a character: beyond the basic plane as two surrogates.
  public var jsonEscape: String {
    UTF16.encode(self).map { unit in
      unit.map { "\\u" + $0.hexadecimal(4) }.joined()
    } ?? ""
  }

  fileprivate var escape: String {
    switch self {
    case "\n": "\\n"
    case "\r": "\\r"
    case "\t": "\\t"
    default: value < 0x100 ? "\\x\(value.hexadecimal(2))" : jsonEscape
    }
  }
}

extension UnsignedInteger {
  /// In hexadecimal, with leading zeros if there are fewer digits.
  public func hexadecimal(_ count: Int) -> String {
    let digits = String(self, radix: 16)
    return String(repeating: "0", count: Swift.max(0, count - digits.count)) + digits
  }
}
