internal import Agent
internal import Kernel
internal import Lowering
internal import Text

/// What one trial left: times in nanoseconds on `MonotonicClock`.
struct LagTrial: Sendable {
  /// The newcomers' containers start.
  let start: UInt64
  /// Informers tell of them.
  let event: UInt64
  /// One for each stream, in their order.
  let records: [StreamRecord]
  /// By node: the sync that took them in.
  let syncs: [String: SyncRecord]

  /// When a stream's fate changed, or why this trial can't tell.
  enum Answer: Sendable {
    case changed(Change)
    case undecided(String)
    /// It should not be.
    case finding(String)
  }

  struct Change: Sendable {
    /// Nanoseconds from the start of the container to the first datagram with the new fate.
    let window: Double
    let fromEvent: Double
    let bracket: Double
    /// Datagrams of the window: sent since the start with the old fate.
    let count: Int
  }

  /// Of a stream that should stay open: how long it was closed nevertheless while the enforcers were at work, in
  /// nanoseconds. Old chains meet new sets then. Nil: not at all.
  func gap(_ index: Int) -> (length: Double, isWithinSyncs: Bool)? {
    let record = records[index]
    guard let first = record.received.firstIndex(of: 0), let last = record.received.lastIndex(of: 0) else { return nil }
    let end = syncs.values.map(\.ended).max() ?? event
    return (
      Double(record.sent[last]) - Double(record.sent[first]), record.sent[first] >= event && record.sent[last] <= end
    )
  }

  /// When all rules of the syncs stood.
  private var effect: UInt64 { syncs.values.compactMap(\.lastSwitch).max() ?? event }

  /// `spacing` is the stream's own, in nanoseconds.
  func answer(_ index: Int, _ change: LagStream.Change, spacing: Double) -> Answer {
    let record = records[index]
    let found: Result<Transition, Undecided>
    switch change {
    case .opens: found = record.opening()
    case .closes: found = record.closing()
    case .staysOpen: return .undecided("the stream stays open")
    }
    switch found {
    case .failure(.incompleteRecord): return .undecided("the receive buffer was too small")
    case .failure(.nothingSent): return .undecided("nothing was sent")
    case .failure(.changedBeforeTheFirst):
      if record.sent.first.map({ $0 >= event }) ?? true { return .undecided("nothing was sent before the event") }
      return .finding(change == .opens ? "passed before anyone knew the newcomer" : "was refused from the beginning")
    case .failure(.neverChanged):
      if record.sent.last.map({ $0 < effect }) ?? true { return .undecided("nothing was sent after the sync") }
      return .finding(
        change == .opens ? "never passed, though the sync is over" : "still passes, though the sync is over")
    case .success(let transition):
      if transition.firstSent < event {
        return .finding(change == .opens ? "passed before the event" : "was refused before the event")
      }
      if transition.anomalies > 0 {
        return .finding("\(transition.anomalies) datagrams had the old fate again after the change")
      }
      let window = Double(transition.firstSent) - Double(start)
      let bracket = Double(transition.bracket)
      // As wide as what it shall measure: it could be anything.
      if bracket > 2.5 * spacing, bracket > (Double(transition.firstSent) - Double(event)) / 2 {
        return .undecided("the sender was held up for \(timeText(bracket)) just then")
      }
      let first = record.sent.firstIndex { $0 >= start } ?? 0
      return .changed(
        Change(
          window: window, fromEvent: Double(transition.firstSent) - Double(event), bracket: bracket,
          count: max(0, transition.first - first)))
    }
  }
}

extension SyncRecord {
  private var switches: [Step] {
    let kinds: Set<SyncStep> = [.restoreSets, .policyChains, .restoreRules, .baseChains]
    return steps.filter { kinds.contains($0.kind) }
  }

  /// Before this the kernel had all the old rules and sets.
  var firstSwitch: UInt64? { switches.map(\.began).min() }
  /// After this it has all the new ones.
  var lastSwitch: UInt64? { switches.map(\.returned).max() }
}
