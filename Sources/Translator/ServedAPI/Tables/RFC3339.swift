/// Times as the API writes them: `2026-01-31T12:00:00Z`, or with a fraction or an offset.
public enum RFC3339 {
  /// Seconds since 1970, without the fraction. `nil` for a text that is no time.
  public static func seconds(_ text: String) -> Int? {
    let bytes = Array(text.utf8)
    /// The number in digits from an offset on.
    func number(_ start: Int, _ count: Int) -> Int? {
      guard start >= 0, bytes.count >= start + count else { return nil }
      var number = 0
      for byte in bytes[start..<(start + count)] {
        guard (0x30...0x39).contains(byte) else { return nil }
        number = number * 10 + Int(byte - 0x30)
      }
      return number
    }
    func isByte(_ offset: Int, _ character: Unicode.Scalar) -> Bool {
      bytes.indices.contains(offset) && bytes[offset] == UInt8(ascii: character)
    }
    guard let year = number(0, 4), isByte(4, "-"), let month = number(5, 2), isByte(7, "-"),
      let day = number(8, 2), isByte(10, "T"), let hour = number(11, 2), isByte(13, ":"), let minute = number(14, 2),
      isByte(16, ":"), let second = number(17, 2), (1...12).contains(month), day >= 1,
      day <= daysOfMonth(month, year), hour < 24, minute < 60, second < 60
    else { return nil }
    var end = 19
    if isByte(end, ".") {
      end += 1
      let fraction = bytes[end...].prefix { (0x30...0x39).contains($0) }
      if fraction.isEmpty { return nil }
      end += fraction.count
    }
    let time = days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second
    if isByte(end, "Z") { return bytes.count == end + 1 ? time : nil }
    guard isByte(end, "+") || isByte(end, "-"), isByte(end + 3, ":"), bytes.count == end + 6,
      let hours = number(end + 1, 2), let minutes = number(end + 4, 2), hours < 24, minutes < 60
    else { return nil }
    let offset = hours * 3600 + minutes * 60
    return isByte(end, "-") ? time + offset : time - offset
  }

  /// The time in UTC. Times before the year 0 and after 9999 can't be written so: the nearest that can.
  public static func text(_ seconds: Int) -> String {
    let seconds = min(max(seconds, days(0, 1, 1) * 86400), days(10000, 1, 1) * 86400 - 1)
    let dayNumber = floored(seconds, 86400)
    let time = seconds - dayNumber * 86400
    // Not after the right one, since no year has more than 366 days, or less than 365.
    var year = 1970 + (dayNumber >= 0 ? dayNumber / 366 : floored(dayNumber, 365))
    while days(year + 1, 1, 1) <= dayNumber { year += 1 }
    var month = 1
    while month < 12, days(year, month + 1, 1) <= dayNumber { month += 1 }
    let day = dayNumber - days(year, month, 1) + 1
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T\(padded(time / 3600, 2)):"
      + "\(padded(time / 60 % 60, 2)):\(padded(time % 60, 2))Z"
  }

  /// The days from the first of 1970 to a day (Gregorian, before 1582 too).
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
    // Years begin in March here, so that the leap day is the last.
    let years = month > 2 ? year : year - 1
    let months = month > 2 ? month - 3 : month + 9
    let leapDays = floored(years, 4) - floored(years, 100) + floored(years, 400)
    // From March on, months have 31, 30, 31, 30, 31 days, and again.
    return years * 365 + leapDays + (months * 153 + 2) / 5 + day - 1 - 719_468
  }

  private static func floored(_ number: Int, _ divisor: Int) -> Int {
    number >= 0 ? number / divisor : -((-number + divisor - 1) / divisor)
  }

  private static func daysOfMonth(_ month: Int, _ year: Int) -> Int {
    days(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1) - days(year, month, 1)
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
