internal import NetpolModel

// YAML in block style, as kubectl prints it. A text is whole lines without the last line feed.

extension String {
  /// The same lines, further to the right.
  func indented(_ columns: Int) -> String {
    let margin = String(repeating: " ", count: columns)
    return joiningLines(first: margin, others: margin)
  }

  /// The lines as one item of a list: `- ` before the first.
  var asItem: String { joiningLines(first: "- ", others: "  ") }

  private func joiningLines(first: String, others: String) -> String {
    let margin = Array(others.utf8)
    var bytes = Array(first.utf8)
    bytes.reserveCapacity(utf8.count * 5 / 4)
    for byte in utf8 {
      bytes.append(byte)
      if byte == UInt8(ascii: "\n") { bytes += margin }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// In quotes if YAML takes the bare word for something other than text. Only for words of letters, digits and `-./_`
  /// that are no numbers with an exponent.
  var asScalar: String {
    let isNumber = utf8.count(where: { $0 == 0x2e }) < 2 && utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2e }
    return isEmpty || isNumber || ["y", "n", "yes", "no", "on", "off", "true", "false", "null"].contains(self)
      ? "\"\(self)\"" : self
  }
}

extension [String] {
  var lines: String { joined(separator: "\n") }
}

extension Labels {
  /// In the order of their keys, as an API server prints them.
  var lines: String { sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.asScalar)" }.lines }
}
