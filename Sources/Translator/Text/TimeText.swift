/// Formats a time in nanoseconds with three digits and a unit: `71.4 us`, `28.1 ms`, `1.02 s`.
public func timeText(_ nanoseconds: Double) -> String {
  let magnitude = abs(nanoseconds)
  let (unit, size) =
    magnitude < 999_500 ? ("us", 1e3) : magnitude < 999_500_000 ? ("ms", 1e6) : ("s", 1e9)
  return "\(threeDigits(nanoseconds / size)) \(unit)"
}

public func timeText(_ nanoseconds: Double?) -> String { nanoseconds.map(timeText) ?? "-" }

public func timeText(_ duration: Duration) -> String { timeText(duration / .nanoseconds(1)) }

/// Two decimals below 10, one below 100, otherwise none.
public func threeDigits(_ value: Double) -> String {
  let magnitude = abs(value)
  if magnitude >= 99.95 { return "\(Int(value.rounded()))" }
  if magnitude >= 9.995 { return decimals(value, 1) }
  return decimals(value, 2)
}

public func decimals(_ value: Double, _ digits: Int) -> String {
  let scale = (0..<digits).reduce(1) { scale, _ in scale * 10 }
  let whole = Int((abs(value) * Double(scale)).rounded())
  let rest = String(whole % scale)
  return (value < 0 && whole > 0 ? "-" : "") + "\(whole / scale)."
    + String(repeating: "0", count: digits - rest.count) + rest
}

/// Formats a duration roughly, for plans: `40 s`, `5 min`, `3 h 10 min`.
public func roughText(_ duration: Duration) -> String {
  let seconds = duration / .seconds(1)
  if seconds < 99.5 { return "\(Int(seconds.rounded())) s" }
  if seconds < 99.5 * 60 { return "\(Int((seconds / 60).rounded())) min" }
  let tens = Int((seconds / 600).rounded())
  return "\(tens / 6) h" + (tens % 6 > 0 ? " \(tens % 6 * 10) min" : "")
}

extension Duration {
  /// Seconds with two decimals.
  public var secondsText: String {
    let hundredths = Int((self / .milliseconds(10)).rounded())
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) s"
  }
}
