extension String {
  /// Input text for a message: quoted, and cut to at most 60 characters.
  public var quoted: String { count > 60 ? "\"\(prefix(57))...\"" : "\"\(self)\"" }

  /// Replaces control characters with spaces, so that input can't send them to a terminal.
  public var onOneLine: String {
    let isControl = { (scalar: Unicode.Scalar) in
      scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || scalar.value == 0x2028 || scalar.value == 0x2029
    }
    guard unicodeScalars.contains(where: isControl) else { return self }
    var line = String.UnicodeScalarView()
    line.append(contentsOf: unicodeScalars.map { isControl($0) ? " " : $0 })
    return String(line)
  }
}
