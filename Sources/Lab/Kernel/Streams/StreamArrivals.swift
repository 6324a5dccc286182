/// What came of a run's datagrams, and when.
///
/// Unchecked: the reader of a run writes here, and its owner only after that thread was joined.
final class StreamArrivals: @unchecked Sendable {
  private let nonce: StreamNonce
  /// CLOCK_REALTIME in nanoseconds, by stream and sequence number; 0 for what never came.
  private var stamps: [[UInt64]]
  private(set) var unstamped: [Int]

  /// Room for so many datagrams of each stream.
  init(nonce: StreamNonce, counts: [Int]) {
    self.nonce = nonce
    stamps = counts.map { [UInt64](repeating: 0, count: $0) }
    unstamped = counts.map { _ in 0 }
  }

  /// Takes all that waits at a receiver. `now` is the wall clock before: a later stamp is not of the arrival.
  func take(from receiver: StreamReceiver, now: UInt64 = .max) {
    receiver.drain { datagram, stamp in
      let stream = Int(datagram.index >> 32)
      let sequence = Int(datagram.index & 0xffff_ffff)
      guard datagram.nonce == nonce.value, stamps.indices.contains(stream), stamps[stream].indices.contains(sequence)
      else { return }
      // Of a datagram that the network doubled the first counts.
      guard stamps[stream][sequence] == 0 else { return }
      if stamp == 0 || stamp > now { unstamped[stream] += 1 }
      stamps[stream][sequence] = max(min(stamp, now), 1)
    }
  }

  /// The arrivals of one stream on `MonotonicClock`.
  func times(of stream: Int, _ offset: WallClockOffset) -> [UInt64] {
    stamps[stream].map { $0 == 0 ? 0 : offset.monotonic($0) ?? 1 }
  }
}
