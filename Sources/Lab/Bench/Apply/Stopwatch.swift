internal import Kernel

/// The time of something that has parts.
struct Stopwatch {
  private let begin: UInt64
  private var last: UInt64
  private var laps: [(name: String, time: Double)] = []

  init() {
    begin = MonotonicClock.now
    last = begin
  }

  /// What was done since the last call has this name.
  mutating func lap(_ name: String) {
    let now = MonotonicClock.now
    laps.append((name, Double(now - last)))
    last = now
  }

  struct Result {
    /// Of all of it, in nanoseconds.
    let time: Double
    let laps: [(name: String, time: Double)]
  }

  /// Ends it.
  var result: Result { Result(time: Double(MonotonicClock.now - begin), laps: laps) }
}
