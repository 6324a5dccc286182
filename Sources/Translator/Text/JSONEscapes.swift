extension String {
  /// Whether the text is JSON, and not YAML in block style.
  public var startsAsJSON: Bool {
    let first = utf8.first { !($0 == 0x20 || $0 == 0x09 || $0 == 0x0a || $0 == 0x0d) }
    return first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
  }

  /// The JSON text for a YAML reader, with the same values and line numbers. YAML's flow style includes JSON except for
  /// surrogate pairs, and except for some characters that may be in a JSON string as they are.
  public var jsonAsYAML: String { joiningSurrogatePairs.escapingForYAML }

  /// The text with `\uD83D\uDE00` (RFC 8259, section 7) replaced by `\U0001F600`, which is how YAML writes characters
  /// beyond the basic plane.
  private var joiningSurrogatePairs: String {
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
        result += Array("\\U\((0x10000 + (high - 0xd800) << 10 + (low - 0xdc00)).hexadecimal(8))".utf8)
        index += 12
      } else {
        result += bytes[index..<min(index + 2, bytes.count)]
        index += 2
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// The text with `\u2028` for each character that YAML 1.1 reads as a line break (5.4) or refuses (5.1).
  private var escapingForYAML: String {
    let isOutsideYAML = { (scalar: Unicode.Scalar) in
      switch scalar.value {
      case 0x7f...0x9f, 0x2028, 0x2029, 0xfeff, 0xfffe, 0xffff: true
      default: false
      }
    }
    guard unicodeScalars.contains(where: isOutsideYAML) else { return self }
    var result = ""
    for scalar in unicodeScalars {
      if isOutsideYAML(scalar) {
        result += scalar.jsonEscape
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
