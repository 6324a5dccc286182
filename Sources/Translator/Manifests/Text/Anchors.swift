extension String {
  /// The maximum number of anchors that a source may use. Each anchor can nest 1000 levels below another's 1000, and
  /// freeing a tree of 45,000 levels overflows an 8 MB stack.
  static let anchorLimit = 32

  /// The number of anchors (`&name`) in the text that an alias (`*name`) uses. May also count words in block scalars.
  var usedAnchorCount: Int {
    let bytes = Array(utf8)
    guard bytes.contains(UInt8(ascii: "&")) else { return 0 }
    let aliases = Set(Self.names(behind: UInt8(ascii: "*"), in: bytes))
    return Self.names(behind: UInt8(ascii: "&"), in: bytes).count { aliases.contains($0) }
  }

  private static func names(behind sign: UInt8, in bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    bytes.indices.compactMap { index in
      guard bytes[index] == sign, index == 0 || " \t\r\n[{,".utf8.contains(bytes[index - 1]) else { return nil }
      let name = bytes[(index + 1)...].prefix { byte in
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte & 0xdf) || byte == 0x5f || byte == 0x2d
      }
      return name.isEmpty ? nil : name
    }
  }
}
