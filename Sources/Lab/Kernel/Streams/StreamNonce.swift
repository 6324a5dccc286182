/// The number that marks the datagrams of one run.
struct StreamNonce: Hashable {
  let value: UInt64

  /// The upper half is random. The lower half increases by one every 4 us.
  init() {
    value = UInt64(UInt32.random(in: .min ... .max)) << 32 | MonotonicClock.now / 4000 & 0xffff_ffff
  }

  /// The number that marks the SYNs of one run.
  var mark: UInt32 { UInt32(truncatingIfNeeded: value >> 32) }

  /// The sequence number of each stream's first SYN, from a clock as in RFC 9293, 3.4.1. If conntrack remembers a SYN
  /// of an earlier run, a lower number would be outside its window, and so invalid.
  var first: UInt32 { UInt32(truncatingIfNeeded: value) }
}
