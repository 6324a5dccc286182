/// The fate of a stream's datagrams in one trial. All times are nanoseconds on `MonotonicClock`.
public struct StreamRecord: Hashable, Sendable {
  /// When each datagram was handed to the kernel, by sequence number. It left no earlier than that.
  public let sent: [UInt64]
  /// When the kernel received each datagram, by sequence number; 0 if it never came. As long as `sent`.
  public let received: [UInt64]
  /// Ticks that were left out because the thread was late. Nothing was sent then, and no sequence number was used.
  public let skippedTicks: Int
  /// Datagrams that `sendto` refused. They count as lost. One cause is a chain at the output hook that drops (EPERM).
  public let refusedSends: Int
  /// Datagrams that arrived but didn't fit into the receive buffer. This loss says nothing about the network.
  public let droppedByReceiver: Int
  /// Datagrams that arrived at an unknown time.
  public let unstamped: Int

  public init(
    sent: [UInt64], received: [UInt64], skippedTicks: Int = 0, refusedSends: Int = 0, droppedByReceiver: Int = 0,
    unstamped: Int = 0
  ) {
    self.sent = sent
    // A datagram that wasn't sent can't have arrived, and one without an entry hasn't.
    self.received = received.prefix(sent.count) + [UInt64](repeating: 0, count: max(0, sent.count - received.count))
    self.skippedTicks = skippedTicks
    self.refusedSends = refusedSends
    self.droppedByReceiver = droppedByReceiver
    self.unstamped = unstamped
  }

  /// Whether the receive buffer was too small. Then not all losses happened in the network.
  public var overflowed: Bool { droppedByReceiver > 0 }

  /// Number of datagrams that arrived.
  public var delivered: Int { received.count { $0 != 0 } }
  /// Number of datagrams that didn't arrive.
  public var lost: Int { sent.count - delivered }
}
