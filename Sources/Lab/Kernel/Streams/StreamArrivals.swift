/// The arrival times of a run's datagrams.
///
/// Unchecked: a run's reading thread writes here. The run itself does so only after joining that thread.
final class StreamArrivals: @unchecked Sendable {
  private let nonce: StreamNonce
  /// Times on CLOCK_REALTIME in nanoseconds, by stream and sequence number; 0 for datagrams that never came.
  private var stamps: [[UInt64]]
  private(set) var unstamped: [Int]

  /// Makes room for this many datagrams of each stream.
  init(nonce: StreamNonce, counts: [Int]) {
    self.nonce = nonce
    stamps = counts.map { [UInt64](repeating: 0, count: $0) }
    unstamped = counts.map { _ in 0 }
  }

  /// Takes all datagrams that wait at a receiver. `now` is the wall clock before that: a later stamp isn't the time of
  /// arrival.
  func take(from receiver: StreamReceiver, now: UInt64 = .max) {
    receiver.drain { datagram, stamp in
      let stream = Int(datagram.index >> 32)
      let sequence = Int(datagram.index & 0xffff_ffff)
      guard datagram.nonce == nonce.value, stamps.indices.contains(stream), stamps[stream].indices.contains(sequence)
      else { return }
      // If the network duplicated a datagram, the first copy counts.
      guard stamps[stream][sequence] == 0 else { return }
      if stamp == 0 || stamp > now { unstamped[stream] += 1 }
      stamps[stream][sequence] = max(min(stamp, now), 1)
    }
  }

  /// The arrival times of one stream on `MonotonicClock`; 0 for datagrams that never came.
  func times(of stream: Int, _ offset: WallClockOffset) -> [UInt64] {
    stamps[stream].map { $0 == 0 ? 0 : offset.monotonic($0) ?? 1 }
  }
}
