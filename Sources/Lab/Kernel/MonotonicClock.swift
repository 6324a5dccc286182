internal import CNftables  // owns struct timespec in a whole-module build
internal import Glibc

/// CLOCK_MONOTONIC, the clock for all timestamps of an experiment. It is the same in all network namespaces of a host.
public enum MonotonicClock {
  /// Nanoseconds since some fixed moment in the past. The corresponding C function is `clock_gettime`.
  public static var now: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time)
  }
}

/// CLOCK_REALTIME, the clock of the kernel's datagram timestamps and of kube-router's sync times.
public enum WallClock {
  /// Nanoseconds since 1970. The corresponding C function is `clock_gettime`.
  public static var now: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return UInt64(time)
  }
}

extension UInt64 {
  /// Nanoseconds; 0 for a time before the clock's zero point.
  init(_ time: timespec) {
    self = UInt64(Swift.max(time.tv_sec, 0)) * 1_000_000_000 + UInt64(Swift.max(time.tv_nsec, 0))
  }
}

extension Duration {
  /// Nanoseconds, limited to the range from 0 to a length of time that can be added to the clock.
  public var nanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    guard seconds >= 0 else { return 0 }
    return UInt64(min(seconds, 1 << 32)) * 1_000_000_000 + UInt64(max(attoseconds, 0) / 1_000_000_000)
  }
}
