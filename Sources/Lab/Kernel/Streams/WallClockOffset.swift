/// The offset to add to a time on CLOCK_REALTIME, which the kernel stamps datagrams with, to get CLOCK_MONOTONIC.
struct WallClockOffset {
  private let nanoseconds: Int64

  /// Takes the best of 20 readings of the wall clock between two of the other. Its error is at most half their
  /// distance.
  init() {
    var tightest = UInt64.max
    var nanoseconds: Int64 = 0
    for _ in 0..<20 {
      let before = MonotonicClock.now
      let wall = WallClock.now
      let after = MonotonicClock.now
      guard after - before < tightest else { continue }
      tightest = after - before
      nanoseconds = Int64(before + (after - before) / 2) - Int64(wall)
    }
    self.nanoseconds = nanoseconds
  }

  /// `nil` for a stamp from before boot, which no kernel makes.
  func monotonic(_ stamp: UInt64) -> UInt64? { UInt64(exactly: Int64(clamping: stamp) &+ nanoseconds) }

  /// Whether the wall clock wasn't set between the two measurements. Both clocks are slewed alike, so 0.1 ms means a
  /// step.
  func agrees(with other: WallClockOffset) -> Bool { abs(nanoseconds - other.nanoseconds) < 100_000 }
}
