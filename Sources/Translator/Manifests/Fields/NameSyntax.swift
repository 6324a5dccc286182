/// The grammars of API names, from apimachinery's `util/validation`.
enum NameSyntax {
  /// Whether iptables-restore, ipset restore and nft read the text as nothing but a name: it has no line break, quote,
  /// backslash or null character. Any name that an API server accepts is one.
  static func isHarmless(_ text: String) -> Bool {
    text.unicodeScalars.allSatisfy { scalar in
      switch scalar {
      case "\n", "\r", "\0", "\"", "'", "\\", "\u{0b}", "\u{0c}", "\u{85}", "\u{2028}", "\u{2029}": false
      default: true
      }
    }
  }

  /// An RFC 1123 label: namespaces.
  static func isDNSLabel(_ text: String) -> Bool {
    (1...63).contains(text.utf8.count)
      && isEnclosed(text.utf8, inner: { isLowerOrDigit($0) || $0 == dash }, isLowerOrDigit)
  }

  /// An RFC 1123 subdomain: most objects.
  static func isDNSSubdomain(_ text: String) -> Bool {
    guard (1...253).contains(text.utf8.count) else { return false }
    return text.utf8.split(separator: dot, omittingEmptySubsequences: false).allSatisfy {
      isEnclosed($0, inner: { isLowerOrDigit($0) || $0 == dash }, isLowerOrDigit)
    }
  }

  /// A label key: a name, optionally with a DNS prefix and a slash before it.
  static func isQualifiedName(_ text: String) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, let name = parts.last, (1...63).contains(name.utf8.count) else { return false }
    if parts.count == 2, !isDNSSubdomain(String(parts[0])) { return false }
    return isEnclosed(name.utf8, inner: isLabelByte, isLetterOrDigit)
  }

  static func isLabelValue(_ text: String) -> Bool {
    text.isEmpty || (text.utf8.count <= 63 && isEnclosed(text.utf8, inner: isLabelByte, isLetterOrDigit))
  }

  /// A port name: IANA_SVC_NAME (RFC 6335) in lower case.
  static func isPortName(_ text: String) -> Bool {
    (1...15).contains(text.utf8.count) && text.utf8.contains { (0x61...0x7a).contains($0) } && !text.contains("--")
      && isEnclosed(text.utf8, inner: { isLowerOrDigit($0) || $0 == dash }, isLowerOrDigit)
  }

  private static let dash = UInt8(ascii: "-")
  private static let dot = UInt8(ascii: ".")

  private static func isEnclosed(
    _ bytes: some BidirectionalCollection<UInt8>, inner: (UInt8) -> Bool, _ ends: (UInt8) -> Bool
  ) -> Bool {
    guard let first = bytes.first, let last = bytes.last else { return false }
    return ends(first) && ends(last) && bytes.allSatisfy(inner)
  }
  private static func isLowerOrDigit(_ byte: UInt8) -> Bool {
    (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte)
  }
  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    isLowerOrDigit(byte) || (0x41...0x5a).contains(byte)
  }
  private static func isLabelByte(_ byte: UInt8) -> Bool {
    isLetterOrDigit(byte) || byte == dash || byte == dot || byte == UInt8(ascii: "_")
  }
}
