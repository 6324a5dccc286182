/// A time in nanoseconds with three digits and its unit: `71 us`, `28.1 ms`, `1.02 s`.
func timeText(_ nanoseconds: Double) -> String {
  let magnitude = abs(nanoseconds)
  let (unit, size) =
    magnitude < 999_500 ? ("us", 1e3) : magnitude < 999_500_000 ? ("ms", 1e6) : ("s", 1e9)
  return "\(threeDigits(nanoseconds / size)) \(unit)"
}

func timeText(_ nanoseconds: Double?) -> String { nanoseconds.map(timeText) ?? "-" }

func timeText(_ duration: Duration) -> String { timeText(duration / .nanoseconds(1)) }

/// Two digits behind the point below 10, one below 100, none above.
func threeDigits(_ value: Double) -> String {
  let magnitude = abs(value)
  if magnitude >= 99.95 { return "\(Int(value.rounded()))" }
  if magnitude >= 9.995 { return decimals(value, 1) }
  return decimals(value, 2)
}

func decimals(_ value: Double, _ digits: Int) -> String {
  let scale = (0..<digits).reduce(1) { scale, _ in scale * 10 }
  let whole = Int((abs(value) * Double(scale)).rounded())
  let rest = String(whole % scale)
  return (value < 0 && whole > 0 ? "-" : "") + "\(whole / scale)."
    + String(repeating: "0", count: digits - rest.count) + rest
}

extension String {
  func padded(_ width: Int) -> String { self + String(repeating: " ", count: Swift.max(0, width - count)) }
  var trimmingEnd: String { String(reversed().drop { $0 == " " }.reversed()) }
  func leftPadded(_ width: Int) -> String { String(repeating: " ", count: Swift.max(0, width - count)) + self }
}

/// Columns of equal width, the first to the left and the others to the right, two spaces apart.
func columns(_ rows: [[String]]) -> [String] {
  let width = rows.map(\.count).max() ?? 0
  let widths = (0..<width).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
  return rows.map { row in
    let cells = row.enumerated().map { index, cell in
      index == 0 ? cell.padded(widths[0]) : cell.leftPadded(widths[index])
    }
    return cells.joined(separator: "  ").trimmingEnd
  }
}
