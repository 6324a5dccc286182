// Uses made-up records and no packets.
import Kernel
import Testing

/// A record of datagrams sent at 100, 200, …: `X` arrived 5 ns later, `.` never arrived.
private func record(_ fates: String, dropped: Int = 0, unstamped: Int = 0) -> StreamRecord {
  let sent = fates.indices.enumerated().map { UInt64($0.offset + 1) * 100 }
  let received = zip(sent, fates).map { $1 == "X" ? $0 + 5 : 0 }
  return StreamRecord(sent: sent, received: received, droppedByReceiver: dropped, unstamped: unstamped)
}

private func transition(_ direction: Transition.Direction, last: Int, anomalies: Int = 0) -> Transition {
  Transition(
    direction: direction, last: last, lastSent: UInt64(last + 1) * 100, firstSent: UInt64(last + 2) * 100,
    anomalies: anomalies)
}

struct StreamRecordTests {
  private static let openings: [(String, Result<Transition, Undecided>)] = [
    ("..XX", .success(transition(.opening, last: 1))),
    (".X", .success(transition(.opening, last: 0))),
    ("...X", .success(transition(.opening, last: 2))),
    ("..X.X.", .success(transition(.opening, last: 1, anomalies: 2))),
    ("XX", .failure(.changedBeforeTheFirst)),
    ("X..X", .failure(.changedBeforeTheFirst)),
    ("....", .failure(.neverChanged)),
    ("", .failure(.nothingSent)),
  ]

  @Test(arguments: openings) func openingsAreFound(fates: String, expected: Result<Transition, Undecided>) {
    #expect(record(fates).opening() == expected)
  }

  @Test("a closing is an opening with delivered and lost exchanged", arguments: openings)
  func closingsAreFound(fates: String, opening: Result<Transition, Undecided>) {
    let mirrored = String(fates.map { $0 == "X" ? "." : "X" })
    let expected = opening.map { transition(.closing, last: $0.last, anomalies: $0.anomalies) }
    #expect(record(mirrored).closing() == expected)
  }

  @Test func aTransitionHasAnErrorBar() throws {
    let opening = try record("...XX").opening().get()
    #expect(opening.bracket == 100 && opening.first == 3 && opening.before == 3)
  }

  @Test(arguments: [("XX.X", 1, 3), ("....", 4, 0), ("XX", 0, 2)])
  func lossesAndLeaksAreCounted(fates: String, lost: Int, through: Int) throws {
    #expect(try record(fates).losses().get() == lost)
    #expect(try record(fates).leaks().get() == through)
  }

  @Test(arguments: [(1, 0), (0, 1)]) func anIncompleteRecordDecidesNothing(dropped: Int, unstamped: Int) {
    let record = record("..XX..", dropped: dropped, unstamped: unstamped)
    #expect(record.opening() == .failure(.incompleteRecord))
    #expect(record.closing() == .failure(.incompleteRecord))
    #expect(record.losses() == .failure(.incompleteRecord))
    #expect(record.leaks() == .failure(.incompleteRecord))
  }

  @Test(arguments: [[], [105], [105, 205, 305]] as [[UInt64]])
  func receivedHasAsManyEntriesAsSent(received: [UInt64]) {
    let record = StreamRecord(sent: [100, 200], received: received)
    #expect(record.received.count == 2 && record.delivered == min(received.count, 2))
  }
}
