extension Duration {
  /// Parses a duration as users write it: a number followed by us, ms, s, m (minutes) or h, such as 50ms or 1.5h.
  /// Returns `nil` for anything else, including negative numbers.
  public init?(text: String) {
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    guard let unit = Self.units[String(text.dropFirst(digits.count))], let number = Double(digits),
      // 1e12 hours still fit into a `Duration`.
      number < 1e12
    else { return nil }
    // Whole numbers stay exact.
    self = Int(digits).map { unit * $0 } ?? unit * number
  }

  private static let units: [String: Duration] = [
    "us": .microseconds(1), "ms": .milliseconds(1), "s": .seconds(1), "m": .seconds(60), "h": .seconds(3600),
  ]
}
