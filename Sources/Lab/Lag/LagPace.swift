internal import Algorithms
internal import Kernel
internal import Statistics
internal import Text

/// How densely streams are sent, and how many of them. Packets take processor time that an enforcer's programs need,
/// even on another core.
struct LagPace: Sendable {
  let spacing: Duration
  /// Why the spacing is wider than requested. `nil` if it is not.
  let reason: String?
  /// How many streams can be sent on one beat so that each is sampled well.
  let mostStreams: Int
  /// What one beat costs with these streams, in nanoseconds.
  private let cost: Cost

  /// Nanoseconds that the first datagram of a beat takes, and each further one.
  struct Cost: Sendable {
    let first, further: Double
    func ofBeat(_ streams: Int) -> Double { first + further * Double(max(streams - 1, 0)) }
  }

  /// The share of its time that the sender may be busy if nothing asks for more. A sender that is busy for 24 % of its
  /// time made an enforcer's programs 6 % slower, so one that is busy for 10 % less than 3 % (docs/lag.md).
  private static let gentle = 0.1
  /// The largest share.
  private static let busy = 0.6
  /// How often a stream should be sampled in a window.
  private static let samples = 20.0
  /// No run is sent more densely unless it is asked to.
  private static let densest = Duration.microseconds(50)
  /// How much of a beat the sender needs for sleep, in nanoseconds. With less it stays awake, and other work on its
  /// core has to wait, such as kernel work that an enforcer's programs depend on. Beats that are requested faster than
  /// `fast` have no such pause.
  private static let pause = 30_000.0
  private static let fast = Duration.microseconds(40)
  /// The maximum number of datagrams of a stream. Longer trials have wider spacings.
  private static let mostDatagrams = 400_000

  /// `window` is the time until the first rules change, `took` that of a whole sync. Without a wanted spacing it is the
  /// one that disturbs the enforcer least and still samples a window well.
  init(_ cost: Cost, streams: Int, wanted: Duration?, window: Duration, syncTakes took: Duration) {
    self.cost = cost
    let sampled = window / Self.samples
    let gentle = { (count: Int) in Duration.nanoseconds(Int64(cost.ofBeat(count) / Self.gentle)) }
    let asked = wanted ?? max(min(gentle(streams), sampled), Self.densest)
    let share = wanted == nil && gentle(1) <= sampled ? Self.gentle : Self.busy
    let room = asked / .nanoseconds(1) * share - cost.first
    // A little more, since the spacing itself may have been made for this number.
    mostStreams = max(1, Int(room / max(cost.further, 1) + 1.01))
    let beat = asked / .nanoseconds(1)
    // The densest beats have one datagram each.
    let needed = max(cost.first / Self.busy, asked < Self.fast ? 0 : cost.first + Self.pause)
    let forSync = (took * 2 / Self.mostDatagrams) / .nanoseconds(1)
    let least = max(needed, forSync)
    let spacing = least <= beat ? asked : .microseconds(Int64((least / 10_000).rounded(.up)) * 10)
    self.spacing = spacing
    let why = forSync > needed ? "a sync takes \(timeText(took))" : "sending one takes \(timeText(cost.first))"
    reason =
      wanted.map { $0 < spacing } == true
      ? "datagrams are \(timeText(spacing)) apart, not \(timeText(asked)), because \(why)" : nil
  }

  /// Computed from the times between the datagrams of one beat, of a run that sent every stream on every beat. The first
  /// is sent by a processor that has just woken up with empty caches.
  static func cost(_ records: [StreamRecord]) -> Cost {
    guard records.count > 1 else { return Cost(first: 5000, further: 5000) }
    var first: [Double] = []
    var further: [Double] = []
    for beat in 0..<(records.map(\.sent.count).min() ?? 0) {
      let gaps = records.map { $0.sent[beat] }.sorted().adjacentPairs().map { Double($1 - $0) }
      first += gaps.prefix(1)
      further += gaps.dropFirst()
    }
    let usual = Distribution(first).quantile(0.75) ?? 5000
    return Cost(first: usual, further: Distribution(further).quantile(0.5) ?? usual)
  }

  /// All streams on each beat, if there is time. Otherwise every other beat has a datagram to the first newcomer's peer by
  /// selector, and the beats between have one of the other streams in turn.
  func shares(_ streams: [LagStream]) -> [(every: Int, phase: Int)] {
    if spacing / .nanoseconds(1) * Self.busy >= cost.ofBeat(streams.count) { return streams.map { _ in (1, 0) } }
    let dense = streams.firstIndex { $0.change == .opens && $0.isOutgoing && $0.newcomer == 0 }
    let others = streams.indices.filter { $0 != dense }
    return streams.indices.map { index in
      guard let turn = others.firstIndex(of: index) else { return (2, 0) }
      return (2 * others.count, 1 + 2 * turn)
    }
  }
}
