import Kernel
import NetpolModel
import Testing
import Worlds

@testable import Lab

@Suite("Lag: what is said of measured values") struct LagStatisticsTests {
  @Test(
    "a quantile is the smallest value that its share is not above",
    arguments: [(0.5, 50.0), (0.9, 90), (0.99, 99), (0.999, 100), (1, 100), (0, 1)])
  func quantiles(_ q: Double, _ expected: Double) {
    #expect(Distribution((1...100).map(Double.init).shuffled()).quantile(q) == expected)
    #expect(Distribution([]).quantile(q) == nil)
  }

  @Test(
    "a confidence interval is that of order statistics, open where the sample is too small",
    arguments: [
      // Ranks from tables of the binomial distribution: 95.9, 96.5, 98.4 and 97.0 % are covered.
      (20, 0.5, 6.0, 15.0), (100, 0.5, 40, 61), (200, 0.99, 195, nil as Double?), (50, 0.9, 41, 50),
      (10, 0.99, 9, nil), (3, 0.5, nil, nil),
    ] as [(Int, Double, Double?, Double?)])
  func intervals(_ count: Int, _ q: Double, _ lower: Double?, _ upper: Double?) {
    let interval = Distribution((1...count).map(Double.init)).interval(q)
    #expect(interval.lower == lower, "\(interval)")
    #expect(interval.upper == upper, "\(interval)")
  }

  @Test("an interval covers the true median about as often as it says") func coverage() {
    var random = SplitMix64(seed: 1)
    let hits = (0..<1000).count { _ in
      let sample = Distribution((0..<30).map { _ in Double.random(in: 0...1, using: &random) })
      let interval = sample.interval(0.5)
      return (interval.lower ?? 0) <= 0.5 && 0.5 <= (interval.upper ?? 1)
    }
    #expect((930...990).contains(hits), "\(hits)")
  }

  @Test("the largest of 2,995 values covers the p99.9 with 95 % confidence") func sampleSize() {
    #expect(Distribution.sampleSize(toCover: 0.999) == 2995)
    let sure = Distribution([Double](repeating: 1, count: 2995)).confidenceThatLargestCovers(0.999)
    #expect(sure >= 0.95 && sure < 0.9501)
  }

  @Test(
    "times have three digits and their unit",
    arguments: [
      (620.0, "0.62 us"), (71_400, "71.4 us"), (999_400, "999 us"), (999_600, "1.00 ms"), (28_130_000, "28.1 ms"),
      (1_004_000_000, "1.00 s"), (12_345_000_000, "12.3 s"), (-5_000, "-5.00 us"), (0, "0.00 us"),
    ])
  func times(_ nanoseconds: Double, _ text: String) { #expect(timeText(nanoseconds) == text) }

  @Test("a histogram counts every value once, in ranges with round limits") func histogram() {
    let values = (0..<200).map { 28e6 + Double($0 % 20) * 1e6 } + [900e6]
    let lines = HistogramText(Distribution(values), width: 80).lines
    let counts = lines.compactMap { line in
      line.split(separator: "#").first.flatMap { $0.split(separator: " ").last.flatMap { Int($0) } }
    }
    #expect(counts.reduce(0, +) == values.count, "\(lines)")
    #expect(lines.count == 12 && lines.last?.contains("from ") == true, "\(lines)")
    #expect(lines.allSatisfy { $0.count <= 80 })
    #expect(HistogramText(Distribution([]), width: 80).lines == [])
    #expect(HistogramText(Distribution([5e6]), width: 80).lines.count == 1)
  }

  @Test("a strip shows what was lost and what passed, by the millisecond or more") func strip() {
    let millisecond = { (number: Int, passed: Bool) in (at: Double(number) * 1e6 + 5e5, passed: passed) }
    let example = LagExample(streams: [
      (-2..<8).map { millisecond($0, $0 >= 3) }, (-2..<8).map { millisecond($0, true) },
      [(at: 1e5, passed: false), (at: 2e5, passed: true)],
    ])
    let text = StripText(example, room: 40)
    #expect(text.step == 1e6)
    #expect(text.strips == ["xxxxx.....", "..........", "  /"])
    #expect(text.start == 2)
    let long = LagExample(streams: [(0..<1000).map { millisecond($0, $0 >= 500) }])
    #expect(StripText(long, room: 50).step == 20e6)
    #expect(StripText(long, room: 50).strips == [String(repeating: "x", count: 25) + String(repeating: ".", count: 25)])
  }

  /// Ten datagrams 1 ms apart; the container starts at the third, and the event comes half a millisecond later.
  private func trial(_ received: String, ended: UInt64 = 20_000_000) -> LagTrial {
    let sent = received.indices.enumerated().map { UInt64($0.offset + 1) * 1_000_000 }
    let record = StreamRecord(
      sent: sent, received: zip(received, sent).map { $0 == "." ? $1 + 5000 : 0 })
    return LagTrial(
      start: 3_000_000, event: 3_500_000, records: [record],
      syncs: ["node1": SyncRecord(requested: 3_500_000, started: 3_600_000, ended: ended)])
  }

  @Test("a window is from the container's start to the first datagram with the new fate") func window() throws {
    let answer = trial("xxxxxx....").answer(0, .opens, spacing: 1e6)
    guard case .changed(let change) = answer else {
      Issue.record("\(answer)")
      return
    }
    #expect(change.window == 4e6 && change.fromEvent == 3.5e6 && change.bracket == 1e6 && change.count == 4)
  }

  @Test(
    "a trial that contradicts the rules is a finding, one that can't tell is not used",
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

  @Test("an error bar as wide as the window tells nothing") func wideBar() {
    // Nothing was sent between the first and the last datagram.
    let record = StreamRecord(sent: [1_000_000, 30_000_000], received: [0, 30_000_500])
    let trial = LagTrial(start: 3_000_000, event: 3_500_000, records: [record], syncs: [:])
    guard case .undecided = trial.answer(0, .opens, spacing: 1e6) else {
      Issue.record("decided")
      return
    }
  }

  @Test("a stream that stays open and is closed during a sync has a gap, and it is known where")
  func gaps() throws {
    #expect(trial("..........").gap(0) == nil)
    let within = try #require(trial(".....xxx..").gap(0))
    #expect(within.length == 2e6 && within.isWithinSyncs)
    #expect(try #require(trial(".xx.......").gap(0)).isWithinSyncs == false)
    #expect(try #require(trial(".....xxx..", ended: 7_000_000).gap(0)).isWithinSyncs == false)
  }
}
