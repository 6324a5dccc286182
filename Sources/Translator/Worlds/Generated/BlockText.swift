internal import NetpolModel

// YAML in block style, as kubectl prints it. A text is whole lines without the last line feed.

extension String {
  /// The same lines, further to the right.
  func indented(_ columns: Int) -> String { prefixed(first: columns, isItem: false) }

  /// The lines as one item of a list: `- ` before the first.
  var asItem: String { prefixed(first: 0, isItem: true) }

  private func prefixed(first columns: Int, isItem: Bool) -> String {
    let margin = [UInt8](repeating: UInt8(ascii: " "), count: isItem ? 2 : columns)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(utf8.count + utf8.count / 4)
    bytes += isItem ? Array("- ".utf8) : margin
    for byte in utf8 {
      bytes.append(byte)
      if byte == UInt8(ascii: "\n") { bytes += margin }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// In quotes if YAML takes the bare word for something other than text. Only for words of letters, digits and
  /// `-./_:`.
  var asScalar: String {
    let isNumber = utf8.allSatisfy { (0x30...0x39).contains($0) || [0x2e, 0x65, 0x45, 0x2d].contains($0) }
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
