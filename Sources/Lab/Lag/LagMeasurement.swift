internal import Agent
internal import Kernel
internal import Lowering
internal import NetpolModel
internal import OrderedCollections
internal import Statistics

/// Adds up trials as they finish.
struct LagMeasurement {
  private let streams: [LagStream]
  /// Of each stream, in nanoseconds.
  private let spacings: [Double]
  private var changes: [[LagTrial.Change]]
  private var undecided: [[String: Int]]
  private var sent: [Int]
  private var lost: [Int]
  private var gaps: [[Double]]
  private let toleratesGaps, isChurned: Bool
  private let style: EnforcementStyle
  private let agent: AgentKind
  private var moments: [(name: String, times: [Double])] = []
  private var brackets: [Double] = []
  /// Nanoseconds from the moment when a pod's peers admit it to the one when its own rules confine it.
  private var unconfined: [Double] = []
  /// How long each process of a kind took, in nanoseconds, by name.
  private var processes: [String: [Double]] = [:]
  private var syncs = 0
  private var slowdowns: [Double] = []
  private var skipped = 0
  private var beats = 0
  private(set) var findings: [String] = []
  /// Packet records of the first trials, kept because the median window is not known before the end.
  private var examples: [(window: Double, example: LagExample)] = []

  /// `toleratesGaps`: a pod that existed before has old chains, which work with new sets for a moment during every
  /// sync. A new pod has no old chains. `isChurned`: other syncs than those of the records may change rules.
  init(
    _ streams: [LagStream], _ style: EnforcementStyle, _ agent: AgentKind, spacings: [Double], toleratesGaps: Bool,
    isChurned: Bool
  ) {
    self.agent = agent
    self.toleratesGaps = toleratesGaps
    self.isChurned = isChurned
    self.style = style
    gaps = streams.map { _ in [] }
    self.streams = streams
    self.spacings = spacings
    changes = streams.map { _ in [] }
    undecided = streams.map { _ in [:] }
    sent = streams.map { _ in 0 }
    lost = streams.map { _ in 0 }
  }

  mutating func add(_ trial: LagTrial, number: Int, nodes: [String]) {
    skipped += trial.records.map(\.skippedTicks).max() ?? 0
    beats += (trial.records.map(\.sent.count).max() ?? 0) + (trial.records.map(\.skippedTicks).max() ?? 0)
    var found: [(stream: LagStream, window: Double)] = []
    for (index, stream) in streams.enumerated() {
      let record = trial.records[index]
      sent[index] += record.sent.count
      lost[index] += record.lost
      if stream.change == .staysOpen {
        if record.overflowed || record.unstamped > 0 {
          undecided[index]["the receive buffer was too small", default: 0] += 1
          sent[index] -= record.sent.count
          lost[index] -= record.lost
        } else if let gap = trial.gap(index) {
          gaps[index].append(gap.length)
          if !gap.isWithinSyncs || !toleratesGaps {
            findings.append(
              "trial \(number): \(record.lost) of \(record.sent.count) \(stream.unit)s lost on \(stream.flow)")
          }
        }
        continue
      }
      switch trial.answer(index, stream.change, spacing: spacings[index], holdingTimeline: !isChurned) {
      case .changed(let change):
        changes[index].append(change)
        brackets.append(change.bracket / spacings[index])
        if stream.isOutgoing { found.append((stream, change.window)) }
      case .undecided(let why): undecided[index][why, default: 0] += 1
      case .finding(let what): findings.append("trial \(number): \(stream.flow) \(what)")
      }
    }
    let window = { (newcomer: Int, change: LagStream.Change) in
      found.first { $0.stream.newcomer == newcomer && $0.stream.change == change }?.window
    }
    // A pod that existed before has other streams that close.
    for newcomer in toleratesGaps ? [] : Set(found.map(\.stream.newcomer)) {
      if let admitted = window(newcomer, .opens), let confined = window(newcomer, .closes) {
        unconfined.append(confined - admitted)
      }
    }
    let (first, last) = (window(0, .opens), window(0, .closes))
    addMoments(trial, firstThrough: first, lastThrough: last, nodes)
    addProcesses(trial)
    addExample(trial, first ?? last)
  }

  private mutating func addProcesses(_ trial: LagTrial) {
    if !isChurned, let slowdown = trial.slowdown { slowdowns.append(slowdown) }
    for sync in trial.syncs.values {
      syncs += 1
      for process in sync.processes { processes[process.kind, default: []].append(process.duration / .nanoseconds(1)) }
    }
  }

  private mutating func addMoments(_ trial: LagTrial, firstThrough: Double?, lastThrough: Double?, _ nodes: [String]) {
    let since = { (moment: UInt64) in Double(moment) - Double(trial.start) }
    add("the API server reports the pod to the node", since(trial.event))
    for node in nodes {
      guard let sync = trial.syncs[node] else { continue }
      let place = nodes.count > 1 ? " (\(node))" : ""
      add("sync starts\(place)", since(sync.started))
      // Of several steps of a kind, the last.
      var returned: OrderedDictionary<String, UInt64> = [:]
      for step in sync.steps {
        let family = sync.steps.contains { $0.kind == step.kind && $0.family != step.family }
        let which = family ? step.family.map { " \($0.rawValue)" } ?? "" : ""
        returned[name(of: step.kind) + which + place] = step.returned
      }
      for (name, time) in returned { add(name, since(time)) }
      add("sync ends\(place)", since(sync.ended))
    }
    if let firstThrough { add("first packet allowed that was refused before", firstThrough) }
    if let lastThrough { add("first packet refused that was allowed before", lastThrough) }
  }

  /// The incremental agent sends elements itself.
  private func name(of step: SyncStep) -> String {
    if agent == .incremental, step == .restoreSets { return "set elements sent" }
    return style.moments[step] ?? step.moment
  }

  private mutating func add(_ name: String, _ time: Double) {
    if let index = moments.firstIndex(where: { $0.name == name }) {
      moments[index].times.append(time)
    } else {
      moments.append((name, [time]))
    }
  }

  private mutating func addExample(_ trial: LagTrial, _ window: Double?) {
    guard let window, examples.count < 15 else { return }
    let packets = trial.records.map { record in
      zip(record.sent, record.received).map { (at: Double($0) - Double(trial.start), passed: $1 != 0) }
    }
    examples.append((window, LagExample(streams: packets)))
  }

  // MARK: - Results

  var results: [LagReport.StreamResult] {
    streams.indices.map { index in
      // Long windows would count and short ones not, so a stream with many coarse trials shows nothing.
      let coarse = undecided[index][LagTrial.isCoarse] ?? 0
      let isBiased = coarse > 1 && coarse * 5 > coarse + changes[index].count
      let changes = isBiased ? [] : changes[index]
      var undecided = undecided
      if isBiased { undecided[index][LagReport.isBiased] = self.changes[index].count }
      return LagReport.StreamResult(
        stream: streams[index], windows: Distribution(changes.map(\.window)),
        fromEvent: Distribution(changes.map(\.fromEvent)), brackets: Distribution(changes.map(\.bracket)),
        inWindow: Distribution(changes.map { Double($0.count) }), sent: sent[index], lost: lost[index],
        gaps: Distribution(gaps[index]), spacing: .nanoseconds(Int64(spacings[index])), undecided: undecided[index])
    }
  }

  /// How long peers accept a pod that is not confined itself yet.
  var betweenWindows: Distribution { Distribution(unconfined) }

  /// Sorted by median.
  var timeline: [LagReport.TimelineRow] {
    moments.map { LagReport.TimelineRow(name: $0.name, times: Distribution($0.times)) }
      .sorted { ($0.times.median ?? 0) < ($1.times.median ?? 0) }
  }

  /// Sorted by the share of a sync that they take, largest first.
  var processRows: [LagReport.ProcessRow] {
    processes.map { name, times in
      LagReport.ProcessRow(name: name, perSync: Double(times.count) / Double(max(syncs, 1)), times: Distribution(times))
    }.sorted { ($1.inSync, $0.name) < ($0.inSync, $1.name) }
  }

  /// The kept trial whose window is the median of all kept trials.
  var example: LagExample? {
    examples.sorted { $0.window < $1.window }.dropFirst(examples.count / 2).first?.example
  }

  func resolution(spacing: Duration, isRealTime: Bool) -> LagReport.Resolution {
    LagReport.Resolution(
      spacing: spacing, brackets: Distribution(brackets), skipped: skipped, beats: beats, isRealTime: isRealTime,
      slowdown: Distribution(slowdowns))
  }
}
