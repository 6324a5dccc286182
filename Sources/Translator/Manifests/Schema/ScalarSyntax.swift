/// The grammars of scalars that the API has as text.
enum ScalarSyntax {
  /// Whether the text is a time as in RFC 3339: `2026-01-31T12:00:00Z`, with or without a fraction.
  static func isTime(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    /// The number in the two bytes at an offset. -1 if they aren't digits.
    func number(_ offset: Int) -> Int {
      guard bytes.count >= offset + 2, isDigit(bytes[offset]), isDigit(bytes[offset + 1]) else { return -1 }
      return Int(bytes[offset] - 0x30) * 10 + Int(bytes[offset + 1] - 0x30)
    }
    func isTimeOfDay(_ offset: Int, _ parts: Int) -> Bool {
      (0..<parts).allSatisfy { part in
        (0...(part == 0 ? 23 : 59)).contains(number(offset + 3 * part))
          && (part == 0 || bytes[offset + 3 * part - 1] == UInt8(ascii: ":"))
      }
    }
    guard bytes.count >= 20, number(0) >= 0, number(2) >= 0, bytes[4] == dash, (1...12).contains(number(5)),
      bytes[7] == dash, (1...31).contains(number(8)), bytes[10] == UInt8(ascii: "T"), isTimeOfDay(11, 3)
    else { return false }
    var rest = bytes[19...]
    if rest.first == dot {
      rest = rest.dropFirst()
      let fraction = rest.prefix(while: isDigit)
      if fraction.isEmpty { return false }
      rest = rest.dropFirst(fraction.count)
    }
    if rest.elementsEqual([UInt8(ascii: "Z")]) { return true }
    guard rest.count == 6, rest.first == dash || rest.first == plus else { return false }
    return isTimeOfDay(rest.startIndex + 1, 2)
  }

  /// Whether the text is a quantity: `0.5`, `100m`, `1Gi`, `1e3`. From apimachinery's `resource.ParseQuantity`.
  static func isQuantity(_ text: String) -> Bool {
    var rest = Substring(text).utf8
    if let sign = rest.first, sign == dash || sign == plus { rest.removeFirst() }
    let number = rest.prefix { isDigit($0) || $0 == dot }
    guard number.contains(where: isDigit), number.count(where: { $0 == dot }) <= 1 else { return false }
    rest = rest.dropFirst(number.count)
    if let first = rest.first, first == UInt8(ascii: "e") || first == UInt8(ascii: "E"), rest.count > 1 {
      var exponent = rest.dropFirst()
      if let sign = exponent.first, sign == dash || sign == plus { exponent.removeFirst() }
      return !exponent.isEmpty && exponent.allSatisfy(isDigit)
    }
    let suffixes = ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
    return suffixes.contains { $0.utf8.elementsEqual(rest) }
  }

  private static let dash = UInt8(ascii: "-")
  private static let plus = UInt8(ascii: "+")
  private static let dot = UInt8(ascii: ".")
  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
