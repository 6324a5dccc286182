internal import Kernel

/// How densely streams are sent: so that the sender, whose core others need too, is idle for some of each beat.
struct LagPace: Sendable {
  let spacing: Duration
  /// Why the spacing is wider than wanted.
  let reason: String
  /// Beats between two of the datagrams that are sent beside the densest stream's.
  private let step: Int

  /// The share of its time in which the sender may be busy.
  private static let busy = 0.6
  /// A stream has as many datagrams at the most: a longer trial has wider spacings.
  private static let mostDatagrams = 400_000

  /// `records` are of a run in which every stream was sent on every beat.
  init(_ records: [StreamRecord], wanted: Duration, syncTakes took: Duration) {
    let cost = Self.cost(records)
    let needed = Duration.nanoseconds(Int64(cost * 1.25 / Self.busy))
    let forSync = took * 2 / Self.mostDatagrams
    let least = max(needed, forSync)
    spacing = least <= wanted ? wanted : .microseconds(Int64((least / .microseconds(10)).rounded(.up)) * 10)
    reason =
      forSync > needed
      ? "datagrams are \(timeText(spacing)) apart, not \(timeText(wanted)), since a sync takes \(timeText(took))"
      : "datagrams are \(timeText(spacing)) apart, not \(timeText(wanted)), since the rules take \(timeText(cost)) for one"
    let spare = spacing / .nanoseconds(1) * Self.busy / max(cost, 1) - 1
    step = spare >= 1 ? 1 : min(Int((1 / max(spare, 0.05)).rounded(.up)), 16)
  }

  /// What one datagram takes, nanoseconds: the time between two of one beat, of all streams the median.
  static func cost(_ records: [StreamRecord]) -> Double {
    guard records.count > 1 else { return 5000 }
    var costs: [Double] = []
    for (one, next) in zip(records, records.dropFirst()) {
      for (first, second) in zip(one.sent, next.sent) {
        let distance = second > first ? second - first : first - second
        // More is another beat.
        if distance < 900_000 { costs.append(Double(distance)) }
      }
    }
    return Distribution(costs).median ?? 5000
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
