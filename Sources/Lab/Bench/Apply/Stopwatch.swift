internal import Kernel

/// Measures the time of something that has parts.
struct Stopwatch {
  private let begin: UInt64
  private var last: UInt64
  private var laps: [(name: String, time: Double)] = []

  init() {
    begin = MonotonicClock.now
    last = begin
  }

  /// Gives a name to what was done since the last call.
  mutating func lap(_ name: String) {
    let now = MonotonicClock.now
    laps.append((name, Double(now - last)))
    last = now
  }

  struct Result {
    /// The total time in nanoseconds.
    let time: Double
    let laps: [(name: String, time: Double)]
  }

  /// Stops the watch.
  var result: Result { Result(time: Double(MonotonicClock.now - begin), laps: laps) }
}
