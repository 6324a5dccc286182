/// What to add to a time on CLOCK_REALTIME, in which the kernel stamps datagrams, to have it on CLOCK_MONOTONIC.
struct WallClockOffset {
  private let nanoseconds: Int64

  /// The best of 20 readings of one clock between two of the other: it is off by half their distance at most.
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

  /// nil for a stamp from before the machine started, which no kernel makes.
  func monotonic(_ stamp: UInt64) -> UInt64? { UInt64(exactly: Int64(clamping: stamp) &+ nanoseconds) }

  /// Whether nobody set the wall clock between the two: both clocks are slewed alike, so 0.1 ms is a step.
  func agrees(with other: WallClockOffset) -> Bool { abs(nanoseconds - other.nanoseconds) < 100_000 }
}
