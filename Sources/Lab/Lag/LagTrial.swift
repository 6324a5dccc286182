internal import Agent
internal import Kernel
internal import Lowering
internal import Text

/// The records of one trial. Times are nanoseconds on `MonotonicClock`.
struct LagTrial: Sendable {
  /// When the newcomers' containers start.
  let start: UInt64
  /// When informers report the newcomers.
  let event: UInt64
  /// One for each stream, in the order of the streams.
  let records: [StreamRecord]
  /// By node: the sync that included the newcomers.
  let syncs: [String: SyncRecord]
  /// By node: the sync that undid the change, while no packets were sent.
  var quietSyncs: [String: SyncRecord] = [:]

  /// When a stream's outcome changed, or why this trial can't tell.
  enum Answer: Sendable {
    case changed(Change)
    case undecided(String)
    /// Something that should not happen.
    case finding(String)
  }

  struct Change: Sendable {
    /// Nanoseconds from the start of the container to the first datagram with the new outcome, or to the return of the
    /// step that changed the rules, if that comes before.
    let window: Double
    let fromEvent: Double
    /// Within this time before the window's end the outcome changed.
    let bracket: Double
    /// Datagrams of the window: sent since the start, with the old outcome.
    let count: Int
  }

  /// For a stream that should stay open: how long it was closed, in nanoseconds, and whether that was while the
  /// enforcers were at work. Old chains work with new sets then. `nil` if it was never closed.
  func gap(_ index: Int) -> (length: Double, isWithinSyncs: Bool)? {
    let record = records[index]
    guard let first = record.received.firstIndex(of: 0), let last = record.received.lastIndex(of: 0) else { return nil }
    let end = syncs.values.map(\.ended).max() ?? event
    return (
      Double(record.sent[last]) - Double(record.sent[first]), record.sent[first] >= event && record.sent[last] <= end
    )
  }

  /// When all rules of the syncs were in place.
  private var effect: UInt64 { syncs.values.compactMap(\.lastSwitch).max() ?? event }

  /// `spacing` is the stream's own, in nanoseconds. With `holdingTimeline` only the recorded syncs change rules, and the
  /// change is looked for within the steps that do.
  func answer(_ index: Int, _ change: LagStream.Change, spacing: Double, holdingTimeline: Bool = true) -> Answer {
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
      return .finding(change == .opens ? "passed before the rules had the new pod" : "was refused from the start")
    case .failure(.neverChanged):
      if record.sent.last.map({ $0 < effect }) ?? true { return .undecided("nothing was sent after the sync") }
      return .finding(
        change == .opens ? "never passed, although the sync is over" : "still passes, although the sync is over")
    case .success(let transition): return answer(record, transition, change, spacing, holdingTimeline)
    }
  }

  private func answer(
    _ record: StreamRecord, _ transition: Transition, _ change: LagStream.Change, _ spacing: Double,
    _ holdsTimeline: Bool
  ) -> Answer {
    // A send time is from before the send: the datagram met the rules later, but before it was received or before the
    // next one of its stream was sent.
    let next = transition.first + 1
    let latest =
      change == .opens
      ? max(transition.firstSent, record.received[transition.first])
      : next < record.sent.count ? record.sent[next] : transition.firstSent
    if latest < event {
      return .finding(change == .opens ? "passed before the event" : "was refused before the event")
    }
    if transition.anomalies > 0 {
      return .finding("\(counted(transition.anomalies, "datagram")) had the old outcome again after the change")
    }
    var (from, to) = (transition.lastSent, max(transition.firstSent, event))
    if holdsTimeline, syncs.values.contains(where: { !$0.switches.isEmpty }) {
      guard let within = switches(within: from...max(latest, from)) else {
        return .finding(
          "changed between \(timeText(Double(from) - Double(event))) and \(timeText(Double(latest) - Double(event))) after "
            + "the event, when no step of a sync changed rules")
      }
      (from, to) = (within.lowerBound, max(within.lowerBound, min(within.upperBound, to)))
    }
    let (bracket, fromEvent) = (Double(to - from), Double(to) - Double(event))
    // Very short windows can't be sampled any better.
    let isFine = bracket <= Self.finest && (bracket <= 2.5 * spacing || bracket <= fromEvent / 2)
    if bracket > fromEvent / 10, !isFine { return .undecided(Self.isCoarse) }
    let first = record.sent.firstIndex { $0 >= start } ?? 0
    return .changed(
      Change(
        window: Double(to) - Double(start), fromEvent: fromEvent, bracket: bracket,
        count: max(0, transition.first - first)))
  }

  /// Why a trial doesn't count that could not tell well enough when the outcome changed.
  static let isCoarse = "its error bar is wider than a tenth of its window"

  /// An error bar that counts whatever the window, in nanoseconds.
  private static let finest = 250_000.0

  /// The part of a span in which steps of the syncs changed rules. `nil` if none did.
  private func switches(within span: ClosedRange<UInt64>) -> ClosedRange<UInt64>? {
    let steps = syncs.values.flatMap(\.switches).filter {
      $0.began <= span.upperBound && $0.returned >= span.lowerBound
    }
    guard let first = steps.map(\.began).min(), let last = steps.map(\.returned).max() else { return nil }
    return max(first, span.lowerBound)...min(last, span.upperBound)
  }
}

extension LagTrial {
  /// How long the programs of the trial's syncs took, in units of what the same programs took without packets. `nil` if
  /// they ran none.
  var slowdown: Double? {
    var (loaded, quiet) = (0.0, 0.0)
    for (node, sync) in syncs {
      guard let other = quietSyncs[node] else { continue }
      let (mine, theirs) = (sync.timesByProgram, other.timesByProgram)
      // A program that only one of them ran, such as for a stale set, has nothing to compare with.
      for (program, times) in mine where theirs[program]?.count == times.count {
        loaded += times.reduce(0, +)
        quiet += theirs[program]?.reduce(0, +) ?? 0
      }
    }
    return quiet > 0 ? loaded / quiet : nil
  }
}

extension SyncRecord {
  /// Nanoseconds of each program of a kind.
  fileprivate var timesByProgram: [String: [Double]] {
    Dictionary(grouping: processes, by: \.kind).mapValues { $0.map { $0.duration / .nanoseconds(1) } }
  }

  fileprivate var switches: [Step] {
    let kinds: Set<SyncStep> = [
      .restoreSets, .localPods, .restoreRules, .policyChains, .podChains, .baseChains,
    ]
    return steps.filter { kinds.contains($0.kind) }
  }

  /// Until then the kernel has all the old rules and sets.
  var firstSwitch: UInt64? { switches.map(\.began).min() }
  /// From then on the kernel has all the new rules and sets.
  var lastSwitch: UInt64? { switches.map(\.returned).max() }
}

extension SyncRecord.Process {
  /// The program and its main argument, such as `iptables -C` or `nft -f`.
  var kind: String {
    let commands: Set<String> = ["-C", "-S", "-I", "-A", "-D", "-N", "-F", "-f", "save", "restore", "destroy", "list"]
    return ([name] + [arguments.dropFirst().first { commands.contains($0) }].compactMap { $0 }).joined(separator: " ")
  }
}
