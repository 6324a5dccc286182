/// What became of a stream's datagrams in one trial. All times are nanoseconds on `MonotonicClock`.
public struct StreamRecord: Hashable, Sendable {
  /// When each datagram was handed to the kernel, by its sequence number: never later than it was on its way.
  public let sent: [UInt64]
  /// When the kernel received each, by its sequence number; 0 for those that never came. As many as `sent`.
  public let received: [UInt64]
  /// Ticks that had passed when the thread woke up: nothing was sent then, and no sequence number was used.
  public let skippedTicks: Int
  /// Datagrams that `sendto` refused; they count as lost. A chain at the output hook that drops is one reason (EPERM).
  public let refusedSends: Int
  /// Datagrams that came, but that the receiving socket had no room for: a loss that says nothing of the network.
  public let droppedByReceiver: Int
  /// Datagrams that came, but whose time of arrival isn't known.
  public let unstamped: Int

  public init(
    sent: [UInt64], received: [UInt64], skippedTicks: Int = 0, refusedSends: Int = 0, droppedByReceiver: Int = 0,
    unstamped: Int = 0
  ) {
    self.sent = sent
    // A datagram that nobody sent can't have come, and one without an entry hasn't.
    self.received = received.prefix(sent.count) + [UInt64](repeating: 0, count: max(0, sent.count - received.count))
    self.skippedTicks = skippedTicks
    self.refusedSends = refusedSends
    self.droppedByReceiver = droppedByReceiver
    self.unstamped = unstamped
  }

  /// Whether the receive buffer was too small: the losses are then not the network's alone.
  public var overflowed: Bool { droppedByReceiver > 0 }

  /// How many datagrams came.
  public var delivered: Int { received.count { $0 != 0 } }
  /// How many didn't.
  public var lost: Int { sent.count - delivered }
}
