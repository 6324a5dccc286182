extension String {
  /// Whether the text is JSON. YAML's flow style includes JSON except for one escape.
  var startsAsJSON: Bool {
    let first = utf8.first { !($0 == 0x20 || $0 == 0x09 || $0 == 0x0a || $0 == 0x0d) }
    return first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
  }

  /// The text with `\uD83D\uDE00` (RFC 8259, section 7) replaced by `\U0001F600`, which is how YAML writes characters
  /// beyond the basic plane. Line numbers don't change.
  var joiningSurrogatePairs: String {
    let bytes = Array(utf8)
    let backslash = UInt8(ascii: "\\")
    guard bytes.contains(backslash) else { return self }
    func unit(at index: Int) -> UInt32? {
      guard index + 6 <= bytes.count, bytes[index] == backslash, bytes[index + 1] == UInt8(ascii: "u") else {
        return nil
      }
      return UInt32(String(decoding: bytes[index + 2..<index + 6], as: UTF8.self), radix: 16)
    }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      guard bytes[index] == backslash else {
        result.append(bytes[index])
        index += 1
        continue
      }
      if let high = unit(at: index), (0xd800...0xdbff).contains(high),
        let low = unit(at: index + 6), (0xdc00...0xdfff).contains(low)
      {
        let hex = String(0x10000 + (high - 0xd800) << 10 + (low - 0xdc00), radix: 16)
        result += Array("\\U\(String(repeating: "0", count: 8 - hex.count))\(hex)".utf8)
        index += 12
      } else {
        result += bytes[index..<min(index + 2, bytes.count)]
        index += 2
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
