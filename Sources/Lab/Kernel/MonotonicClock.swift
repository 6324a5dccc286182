internal import Glibc

/// The one clock for every timestamp in an experiment: CLOCK_MONOTONIC, the same in all namespaces of one host.
public enum MonotonicClock {
  /// Nanoseconds since some moment in the past. The corresponding C function is `clock_gettime`.
  public static var now: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
