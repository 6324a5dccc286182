internal import Algorithms
internal import Kernel
internal import Statistics
internal import Text

/// How densely streams are sent: so that the sender, whose core others need too, is idle for some of each beat.
struct LagPace: Sendable {
  let spacing: Duration
  /// Why the spacing is wider than wanted.
  let reason: String
  /// Beats between two of the datagrams that are sent beside the densest stream's.
  private let step: Int

  /// The share of its time in which the sender may be busy.
  private static let busy = 0.6
  /// What is left of a beat for the sender to sleep, nanoseconds: with less it stays awake, and whatever else its core is
  /// for waits, such as the kernel's work that an enforcer's programs wait for. A beat that is wanted to be faster than
  /// `fast` has no such pauses.
  private static let pause = 30_000.0
  private static let fast = Duration.microseconds(40)
  /// A stream has as many datagrams at the most: a longer trial has wider spacings.
  private static let mostDatagrams = 400_000

  /// `records` are of a run in which every stream was sent on every beat.
  init(_ records: [StreamRecord], wanted: Duration, syncTakes took: Duration) {
    let (first, further) = Self.costs(records)
    let beat = wanted / .nanoseconds(1)
    let step = [1, 2, 4].first { beat * Self.busy >= first + further / Double($0) } ?? 4
    self.step = step
    let inBeat = first + further / Double(step)
    // The fullest beats have two.
    let needed = max(inBeat / Self.busy, wanted < Self.fast ? 0 : first + further + Self.pause)
    let forSync = (took * 2 / Self.mostDatagrams) / .nanoseconds(1)
    let least = max(needed, forSync)
    spacing = least <= beat ? wanted : .microseconds(Int64((least / 10_000).rounded(.up)) * 10)
    let why = forSync > needed ? "a sync takes \(timeText(took))" : "one takes \(timeText(first))"
    reason = "datagrams are \(timeText(spacing)) apart, not \(timeText(wanted)), since \(why)"
  }

  /// What the first datagram of a beat takes, and each further one, nanoseconds, by the times between two of one
  /// beat. The first is sent by a processor that has just woken up, and finds its caches empty.
  static func costs(_ records: [StreamRecord]) -> (first: Double, further: Double) {
    guard records.count > 1 else { return (5000, 5000) }
    var first: [Double] = []
    var further: [Double] = []
    for beat in 0..<(records.map(\.sent.count).min() ?? 0) {
      let gaps = records.map { $0.sent[beat] }.sorted().adjacentPairs().map { Double($1 - $0) }
      first += gaps.prefix(1)
      further += gaps.dropFirst()
    }
    let usual = Distribution(first).quantile(0.75) ?? 5000
    return (usual, Distribution(further).quantile(0.5) ?? usual)
  }

  /// One datagram a beat to the first newcomer's peer by selector; beside it, each `step` beats, one in turn to its peer
  /// by ipBlock and on all other streams.
  func shares(_ streams: [LagStream]) -> [(every: Int, phase: Int)] {
    let dense = streams.firstIndex { $0.change == .opens && $0.isOutgoing && $0.newcomer == 0 }
    let control = streams.firstIndex { $0.change == .staysOpen && $0.newcomer == 0 }
    let others = streams.indices.filter { $0 != dense && $0 != control }
    return streams.indices.map { index in
      if index == dense { return (1, 0) }
      if index == control { return (2 * step, 0) }
      return (max(others.count, 1) * 2 * step, (1 + 2 * (others.firstIndex(of: index) ?? 0)) * step)
    }
  }
}
