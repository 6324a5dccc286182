extension String {
  /// Words of the input in a message: in quotes, at most 60 characters of them.
  public var quoted: String { count > 60 ? "\"\(prefix(57))...\"" : "\"\(self)\"" }

  /// Control characters of the input never reach a terminal.
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
