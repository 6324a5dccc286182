internal import Algorithms
internal import Kernel
internal import Statistics
internal import Text

/// How densely streams are sent. The sender must be idle for part of each beat, because others need its core too.
struct LagPace: Sendable {
  let spacing: Duration
  /// Why the spacing is wider than requested.
  let reason: String
  /// Number of beats between two datagrams that are not of the densest stream.
  private let step: Int

  /// The largest share of its time that the sender may be busy.
  private static let busy = 0.6
  /// How much of a beat the sender needs for sleep, in nanoseconds. With less it stays awake, and other work on its
  /// core has to wait, such as kernel work that an enforcer's programs depend on. Beats that are requested faster than
  /// `fast` have no such pause.
  private static let pause = 30_000.0
  private static let fast = Duration.microseconds(40)
  /// The maximum number of datagrams of a stream. Longer trials have wider spacings.
  private static let mostDatagrams = 400_000

  /// `records` are those of a run that sent every stream on every beat.
  init(_ records: [StreamRecord], wanted: Duration, syncTakes took: Duration) {
    let (first, further) = Self.costs(records)
    let beat = wanted / .nanoseconds(1)
    let step = [1, 2, 4].first { beat * Self.busy >= first + further / Double($0) } ?? 4
    self.step = step
    let inBeat = first + further / Double(step)
    // The fullest beats have two datagrams.
    let needed = max(inBeat / Self.busy, wanted < Self.fast ? 0 : first + further + Self.pause)
    let forSync = (took * 2 / Self.mostDatagrams) / .nanoseconds(1)
    let least = max(needed, forSync)
    spacing = least <= beat ? wanted : .microseconds(Int64((least / 10_000).rounded(.up)) * 10)
    let why = forSync > needed ? "a sync takes \(timeText(took))" : "sending one takes \(timeText(first))"
    reason = "datagrams are \(timeText(spacing)) apart, not \(timeText(wanted)), because \(why)"
  }

  /// How many nanoseconds the first datagram of a beat takes, and each further one. Computed from the times between the
  /// datagrams of one beat. The first is sent by a processor that has just woken up with empty caches.
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

  /// One datagram per beat goes to the first newcomer's peer by selector. In addition, every `step` beats, one datagram
  /// goes in turn to its peer by ipBlock and to all other streams.
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
