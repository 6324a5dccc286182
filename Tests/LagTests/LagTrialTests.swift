import Kernel
import Lowering
import NetpolModel
import Statistics
import Testing
import Text
import Worlds

@testable import Agent
@testable import Lag

@Suite("Lag: results of a trial") struct LagTrialTests {
  /// Ten datagrams 1 ms apart. The container starts at the third, and the event comes half a millisecond later.
  ///
  /// `switches` are the times, in milliseconds, in which a step changed rules.
  private func trial(
    _ received: String, ended: UInt64 = 20_000_000, every spacing: UInt64 = 1_000_000,
    switches: [ClosedRange<Double>] = []
  ) -> LagTrial {
    let sent = received.indices.enumerated().map { UInt64($0.offset + 1) * spacing }
    let record = StreamRecord(
      sent: sent, received: zip(received, sent).map { $0 == "." ? $1 + 5000 : 0 })
    var sync = SyncRecord(requested: 3_500_000, started: 3_600_000, ended: ended)
    sync.steps = switches.map {
      SyncRecord.Step(
        kind: .restoreSets, family: .v4, began: UInt64($0.lowerBound * 1e6), returned: UInt64($0.upperBound * 1e6))
    }
    return LagTrial(start: 3_000_000, event: 3_500_000, records: [record], syncs: ["node1": sync])
  }

  /// A path that opens after this many datagrams.
  private func opening(after count: Int) -> String {
    String(repeating: "x", count: count) + String(repeating: ".", count: 9)
  }

  @Test("a window is from the container's start to the first datagram with the new outcome") func window() throws {
    let answer = trial(opening(after: 20)).answer(0, .opens, spacing: 1e6)
    guard case .changed(let change) = answer else {
      Issue.record("\(answer)")
      return
    }
    #expect(change.window == 18e6 && change.fromEvent == 17.5e6 && change.bracket == 1e6 && change.count == 18)
  }

  @Test("a window ends within the step that changed the rules, and never after it")
  func timeline() throws {
    // The change is between 20 ms and 21 ms, by packets.
    for (switches, window, bracket) in [
      ([20.2...20.6], 17.6e6, 0.4e6), ([19.0...20.6], 17.6e6, 0.6e6), ([20.2...25.0], 18e6, 0.8e6),
      ([5.0...6.0, 20.2...20.6], 17.6e6, 0.4e6), ([20.1...20.3, 20.5...20.6], 17.6e6, 0.5e6),
    ] {
      let trial = trial(opening(after: 20), switches: switches)
      guard case .changed(let change) = trial.answer(0, .opens, spacing: 1e6) else {
        Issue.record("\(switches)")
        continue
      }
      #expect(change.window == window && change.bracket == bracket, "\(switches)")
    }
  }

  @Test("a window that contradicts the timeline is a finding, unless other syncs go on")
  func contradictsTimeline() {
    for switches in [[5.0...19.9], [21.1...30.0], [5.0...19.0, 22.0...23.0]] {
      let trial = trial(opening(after: 20), switches: switches)
      guard case .finding(let what) = trial.answer(0, .opens, spacing: 1e6) else {
        Issue.record("\(switches)")
        continue
      }
      #expect(what.contains("when no step of a sync changed rules"))
      guard case .changed = trial.answer(0, .opens, spacing: 1e6, holdingTimeline: false) else {
        Issue.record("\(switches) with other syncs")
        continue
      }
    }
  }

  @Test(
    "a trial counts if its error bar is at most a tenth of its window, or as fine as can be",
    arguments: [
      (20, UInt64(1_000_000), [], true), (10, 1_000_000, [], false), (10, 1_000_000, [10.2...10.7], true),
      (12, 1_000_000, [12.1...12.9], true), (12, 1_000_000, [11.0...14.0], false), (40, 200_000, [], true),
      (20, 200_000, [], true), (6, 1_000_000, [6.2...6.45], true), (6, 1_000_000, [6.2...6.55], false),
    ])
  func tenth(_ count: Int, _ spacing: UInt64, _ switches: [ClosedRange<Double>], _ counts: Bool) {
    let answer = trial(opening(after: count), every: spacing, switches: switches)
      .answer(0, .opens, spacing: Double(spacing))
    switch answer {
    case .changed: #expect(counts, "\(answer)")
    case .undecided(let why): #expect(!counts && why == "its error bar is wider than a tenth of its window")
    case .finding: Issue.record("\(answer)")
    }
  }

  @Test("programs are compared with the same programs while no packets flowed")
  func slowdown() throws {
    let sync = { (times: [(String, Int)]) in
      var sync = SyncRecord(requested: 0, started: 0, ended: 0)
      sync.processes = times.map { name, time in
        SyncRecord.Process(
          arguments: [name, "save"], started: 0, duration: .milliseconds(time), ending: .exited(0))
      }
      return sync
    }
    let loaded = sync([("iptables", 3), ("iptables", 5), ("ipset", 4), ("nft", 100)])
    let quiet = sync([("iptables", 2), ("iptables", 4), ("ipset", 4), ("nft", 1), ("nft", 1)])
    let trial = { (quiet: [String: SyncRecord]) in
      LagTrial(start: 0, event: 0, records: [], syncs: ["node1": loaded], quietSyncs: quiet)
    }
    // nft ran a different number of times.
    #expect(trial(["node1": quiet]).slowdown == 1.2)
    #expect(trial([:]).slowdown == nil && trial(["node2": quiet]).slowdown == nil)
  }

  @Test(
    "a trial that contradicts the rules is a finding, and an inconclusive one is not used",
    arguments: [
      ("..........", LagStream.Change.opens, true), ("xxxxxxxxxx", .opens, true), ("xx........", .opens, true),
      ("xxxxxxxx..x..", .opens, true), ("xxxxxxxxxx", .closes, true), ("..........", .closes, true),
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
