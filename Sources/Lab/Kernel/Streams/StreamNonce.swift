/// What tells a run's datagrams from all others.
struct StreamNonce: Hashable {
  let value: UInt64

  /// The upper half is random, the lower one goes up by one each 4 us.
  init() {
    value = UInt64(UInt32.random(in: .min ... .max)) << 32 | MonotonicClock.now / 4000 & 0xffff_ffff
  }

  /// What tells a run's SYNs from all others.
  var mark: UInt32 { UInt32(truncatingIfNeeded: value >> 32) }

  /// The sequence number of each stream's first SYN, from a clock as in RFC 9293, 3.4.1: where connection tracking
  /// remembers a SYN of an earlier run, a lower number would be outside of its window, and invalid.
  var first: UInt32 { UInt32(truncatingIfNeeded: value) }
}
