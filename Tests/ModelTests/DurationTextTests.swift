import NetpolModel
import Testing

@Suite struct DurationTextTests {
  @Test(
    "a duration is a number and its unit",
    arguments: [
      ("20us", .microseconds(20)), ("50ms", .milliseconds(50)), ("0.5ms", .microseconds(500)), ("90s", .seconds(90)),
      ("0s", .zero), ("10m", .seconds(600)), ("1h", .seconds(3600)), ("1.5h", .seconds(5400)),
      ("1000000h", .seconds(3_600_000_000)),
    ] as [(String, Duration)])
  func reading(text: String, duration: Duration) {
    #expect(Duration(text: text) == duration)
  }

  @Test(
    "rejects any other text",
    arguments: [
      "", "5", "s", "ms", "5 s", " 5s", "5s ", "-5s", "+5s", "5S", "5min", "5sec", "5d", "1e3s", "0x5s", "nans", "infs",
      ".s", "1.2.3s", "1h30m", "٣s", "99999999999999999999h",
    ])
  func refusal(text: String) {
    #expect(Duration(text: text) == nil)
  }
}
