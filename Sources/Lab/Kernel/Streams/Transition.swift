/// The moment at which a stream's path opened or closed, between two consecutive datagrams.
public struct Transition: Hashable, Sendable {
  public enum Direction: Hashable, Sendable { case opening, closing }

  public let direction: Direction
  /// The sequence number of the last datagram with the old fate; the next one has the new fate.
  public let last: Int
  /// When that last datagram was sent, in nanoseconds on `MonotonicClock`. The change came later.
  public let lastSent: UInt64
  /// When the first datagram with the new fate was sent. It reached the rules a few microseconds later.
  public let firstSent: UInt64
  /// Datagrams with the old fate after the change: the path flaps, or there is loss of another kind.
  public let anomalies: Int

  public init(direction: Direction, last: Int, lastSent: UInt64, firstSent: UInt64, anomalies: Int) {
    self.direction = direction
    self.last = last
    self.lastSent = lastSent
    self.firstSent = firstSent
    self.anomalies = anomalies
  }

  /// The sequence number of the first datagram with the new fate.
  public var first: Int { last + 1 }
  /// The precision of the moment in nanoseconds: the trial's own error bar.
  public var bracket: UInt64 { firstSent - lastSent }
  /// Number of datagrams before the change: those lost before it opened, or delivered before it closed.
  public var before: Int { last + 1 }
}

/// Why a stream doesn't show when its path changed.
public enum Undecided: Error, Hashable, Sendable {
  /// The receive buffer overflowed, or stamps are missing (`StreamRecord.unstamped`).
  case incompleteRecord
  case nothingSent
  /// The first datagram already had the new fate.
  case changedBeforeTheFirst
  /// No datagram had the new fate.
  case neverChanged
}

extension StreamRecord {
  /// When a closed path began to let datagrams through.
  public func opening() -> Result<Transition, Undecided> { transition(.opening) }

  /// When an open path began to stop datagrams.
  public func closing() -> Result<Transition, Undecided> { transition(.closing) }

  /// Number of datagrams lost on a path that should have been open all the time.
  public func losses() -> Result<Int, Undecided> { decided.map { lost } }

  /// Number of datagrams delivered on a path that should have been closed all the time.
  public func leaks() -> Result<Int, Undecided> { decided.map { delivered } }

  private var decided: Result<Void, Undecided> {
    if droppedByReceiver > 0 || unstamped > 0 { return .failure(.incompleteRecord) }
    return sent.isEmpty ? .failure(.nothingSent) : .success(())
  }

  private func transition(_ direction: Transition.Direction) -> Result<Transition, Undecided> {
    decided.flatMap {
      let isNew = { (stamp: UInt64) in (stamp != 0) == (direction == .opening) }
      guard let first = received.firstIndex(where: isNew) else { return .failure(.neverChanged) }
      guard first > 0 else { return .failure(.changedBeforeTheFirst) }
      return .success(
        Transition(
          direction: direction, last: first - 1, lastSent: sent[first - 1], firstSent: sent[first],
          anomalies: received[first...].count { !isNew($0) }))
    }
  }
}
