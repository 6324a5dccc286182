// Not covered: leap seconds, which the API doesn't write.
import ServedAPI
import Testing
import Text

@Suite("Times in tables") struct TableTimeTests {
  /// The age of a namespace that was created so many seconds ago.
  static func age(_ seconds: Int) -> String? {
    let json: JSON = ["metadata": ["creationTimestamp": .string(RFC3339.text(1_000_000_000))]]
    let row = ObjectTable(of: .namespaces, now: 1_000_000_000 + seconds).row(json)
    return row["cells"]?.array.last?.string
  }

  @Test(
    "an age has two units at most, and fewer the longer it is",
    arguments: [
      (-2, "<invalid>"), (-1, "0s"), (0, "0s"), (5, "5s"), (119, "119s"), (120, "2m"), (192, "3m12s"), (599, "9m59s"),
      (600, "10m"), (10_799, "179m"), (10_800, "3h"), (10_860, "3h1m"), (28_799, "7h59m"), (28_800, "8h"),
      (172_799, "47h"), (172_800, "2d"), (273_600, "3d4h"), (691_199, "7d23h"), (691_200, "8d"), (34_560_000, "400d"),
      (63_072_000, "2y"), (63_072_000 + 86_400, "2y1d"), (252_288_000, "8y"), (300_000_000, "9y"),
    ])
  func human(seconds: Int, age: String) { #expect(Self.age(seconds) == age) }

  @Test(
    "a time is read in each of RFC 3339's forms",
    arguments: [
      ("1970-01-01T00:00:00Z", 0), ("2001-09-09T01:46:40Z", 1_000_000_000), ("2000-02-29T12:00:00Z", 951_825_600),
      ("2026-01-31T12:00:00.123456Z", 1_769_860_800), ("2026-01-31T14:00:00+02:00", 1_769_860_800),
      ("2026-01-31T06:30:00-05:30", 1_769_860_800), ("1969-12-31T23:59:59Z", -1),
      ("0001-01-01T00:00:00Z", -62_135_596_800), ("9999-12-31T23:59:59Z", 253_402_300_799),
    ])
  func read(text: String, seconds: Int) { #expect(RFC3339.seconds(text) == seconds) }

  @Test(
    "what is no time isn't read",
    arguments: [
      "", "2026-01-31", "2026-01-31T12:00:00", "2026-02-29T12:00:00Z", "2026-13-01T12:00:00Z", "2026-00-01T12:00:00Z",
      "2026-01-00T12:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z", "2026-01-31T12:00:60Z",
      "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00Zx", "2026-01-31T12:00:00+0200", "2026-01-31T12:00:00+02:0",
      "2026-01-31 12:00:00Z", "+026-01-31T12:00:00Z", "２026-01-31T12:00:00Z", "2026-01-31T12:00:00+", "z",
    ])
  func refuse(text: String) { #expect(RFC3339.seconds(text) == nil) }

  @Test("a time that is written is read as the same, every day of 500 years and beyond the ends") func roundTrip() {
    for day in stride(from: -110_000, through: 80_000, by: 1) {
      let seconds = day * 86400 + 86399
      guard RFC3339.seconds(RFC3339.text(seconds)) == seconds else {
        Issue.record("\(seconds) is written as \(RFC3339.text(seconds))")
        return
      }
    }
    #expect(RFC3339.text(.min) == "0000-01-01T00:00:00Z" && RFC3339.text(.max) == "9999-12-31T23:59:59Z")
  }
}
