import Testing
import Text

@Suite("Formatted times") struct TimeTextTests {
  @Test(
    "times have three digits and a unit",
    arguments: [
      (620.0, "0.62 us"), (71_400, "71.4 us"), (999_400, "999 us"), (999_600, "1.00 ms"), (28_130_000, "28.1 ms"),
      (1_004_000_000, "1.00 s"), (12_345_000_000, "12.3 s"), (-5_000, "-5.00 us"), (0, "0.00 us"),
    ])
  func times(_ nanoseconds: Double, _ text: String) { #expect(timeText(nanoseconds) == text) }
}
