extension Duration {
  /// A time as a user writes it: a number and its unit, one of us, ms, s, m (minutes) and h, as 50ms or 1.5h. Nil for
  /// anything else, and for what is below zero.
  public init?(text: String) {
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    guard let unit = Self.units[String(text.dropFirst(digits.count))], let number = Double(digits),
      // So many hours are still a duration.
      number < 1e12
    else { return nil }
    // Whole numbers stay exact.
    self = Int(digits).map { unit * $0 } ?? unit * number
  }

  private static let units: [String: Duration] = [
    "us": .microseconds(1), "ms": .milliseconds(1), "s": .seconds(1), "m": .seconds(60), "h": .seconds(3600),
  ]
}
