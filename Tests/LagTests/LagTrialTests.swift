import Kernel
import NetpolModel
import Statistics
import Testing
import Text
import Worlds

@testable import Agent
@testable import Lag

@Suite("Lag: results of a trial") struct LagTrialTests {
  /// Ten datagrams 1 ms apart. The container starts at the third, and the event comes half a millisecond later.
  private func trial(_ received: String, ended: UInt64 = 20_000_000) -> LagTrial {
    let sent = received.indices.enumerated().map { UInt64($0.offset + 1) * 1_000_000 }
    let record = StreamRecord(
      sent: sent, received: zip(received, sent).map { $0 == "." ? $1 + 5000 : 0 })
    return LagTrial(
      start: 3_000_000, event: 3_500_000, records: [record],
      syncs: ["node1": SyncRecord(requested: 3_500_000, started: 3_600_000, ended: ended)])
  }

  @Test("a window is from the container's start to the first datagram with the new outcome") func window() throws {
    let answer = trial("xxxxxx....").answer(0, .opens, spacing: 1e6)
    guard case .changed(let change) = answer else {
      Issue.record("\(answer)")
      return
    }
    #expect(change.window == 4e6 && change.fromEvent == 3.5e6 && change.bracket == 1e6 && change.count == 4)
  }

  @Test(
    "a trial that contradicts the rules is a finding, and an inconclusive one is not used",
    arguments: [
      ("..........", LagStream.Change.opens, true), ("xxxxxxxxxx", .opens, true), ("xx........", .opens, true),
      ("xxxxx..x..", .opens, true), ("xxxxxxxxxx", .closes, true), ("..........", .closes, true),
      ("......xx.x", .closes, true), ("", .opens, false), ("", .closes, false),
    ])
  func contradictions(_ received: String, _ change: LagStream.Change, _ isFinding: Bool) {
    switch trial(received).answer(0, change, spacing: 1e6) {
    case .finding: #expect(isFinding)
    case .undecided: #expect(!isFinding)
    case .changed(let change): Issue.record("\(change)")
    }
  }

  @Test("a trial whose error bar is as wide as the window is not used") func wideBar() {
    // Nothing was sent between the first and the last datagram.
    let record = StreamRecord(sent: [1_000_000, 30_000_000], received: [0, 30_000_500])
    let trial = LagTrial(start: 3_000_000, event: 3_500_000, records: [record], syncs: [:])
    guard case .undecided = trial.answer(0, .opens, spacing: 1e6) else {
      Issue.record("decided")
      return
    }
  }

  @Test("a stream that stays open but is closed during a sync has a gap, and its place is known")
  func gaps() throws {
    #expect(trial("..........").gap(0) == nil)
    let within = try #require(trial(".....xxx..").gap(0))
    #expect(within.length == 2e6 && within.isWithinSyncs)
    #expect(try #require(trial(".xx.......").gap(0)).isWithinSyncs == false)
    #expect(try #require(trial(".....xxx..", ended: 7_000_000).gap(0)).isWithinSyncs == false)
  }
}
