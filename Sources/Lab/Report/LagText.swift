public import Lag
internal import Lowering
internal import NetpolModel
internal import StandingLab
internal import Statistics
internal import Text

/// A lag run for a person.
public struct LagText {
  private let report: LagReport
  private let width: Int

  /// `width` is the terminal's, in characters.
  public init(_ report: LagReport, width: Int = 100) {
    self.report = report
    self.width = max(width, 60)
  }

  public var text: String {
    let parts = [
      heading, streams, timeline, processes, strips, histogram, requests, survivors, resolution, advice, notes,
      findings,
    ]
    return parts.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
  }

  private var heading: [String] {
    let options = report.options
    let trials = counted(options.trials, "trial")
    return wrapped(report.environment.text, width: width, indent: 2)
      + wrapped(
        "\(report.world.description), enforcer \(options.agent.rawValue) on \(report.world.nodes.joined(separator: ", ")).",
        width: width, indent: 2)
      + wrapped(
        "\(report.world.change); \(trials), a packet each \(timeText(options.spacing)), \(timeText(report.duration)) in all.",
        width: width, indent: 2)
  }

  // MARK: - Windows

  private var streams: [String] {
    var lines = ["From the start of the container until packets change their fate (95 % confidence in brackets):"]
    for kind in LagStream.Change.allCases {
      let results = report.streams.filter { $0.stream.change == kind }
      if results.isEmpty { continue }
      lines.append("")
      lines += wrapped(kind.explanation, width: width)
      for result in results { lines += self.lines(of: result) }
    }
    return lines
  }

  private func lines(of result: LagReport.StreamResult) -> [String] {
    let flow = result.stream.flow
    var lines = wrapped(
      "\(flow.source) -> \(flow.destination) \(flow.question): \(result.stream.decidedBy)",
      width: width, first: "  ", indent: 6)
    if result.stream.change == .staysOpen {
      lines.append("      \(result.lost) of \(counted(result.sent, result.stream.unit)) lost")
      if !result.gaps.isEmpty {
        lines += wrapped(
          "closed in \(counted(result.gaps.count, "trial")) while the sync was at work, where old chains meet new sets: p50 "
            + "\(timeText(result.gaps.median)), max \(timeText(result.gaps.largest))", width: width, first: "      ",
          indent: 6)
      }
    } else if result.windows.isEmpty {
      lines.append("      no trial could tell")
    } else {
      let verb = result.stream.change == .opens ? "lost" : "passed"
      let quantiles = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)].map { name, q in
        "\(name) \(timeText(result.windows.quantile(q))) \(intervalText(result.windows, q))"
      }
      lines.append("      " + (quantiles + ["max \(timeText(result.windows.largest))"]).joined(separator: "  "))
      let inWindow = result.inWindow.median.map { "\(Int($0))" } ?? "-"
      lines.append(
        "      \(inWindow) \(result.stream.unit)s \(verb) (p50), one each \(timeText(result.spacing)); "
          + "error bar p50 \(timeText(result.brackets.median)), max \(timeText(result.brackets.largest))")
    }
    for (reason, count) in result.undecided.sorted(by: { $0.key < $1.key }) {
      lines.append("      \(counted(count, "trial")) can't tell: \(reason)")
    }
    return lines
  }

  private func intervalText(_ values: Distribution, _ q: Double) -> String {
    let interval = values.interval(q)
    return "[\(interval.lower.map { timeText($0) } ?? "?") .. \(interval.upper.map { timeText($0) } ?? "?")]"
  }

  // MARK: - One life

  private var timeline: [String] {
    if report.timeline.isEmpty { return [] }
    let rows =
      [["", "p50", "p90", "p99", "max"]]
      + report.timeline.map { row in
        [row.name] + [0.5, 0.9, 0.99, 1].map { timeText(row.times.quantile($0)) }
      }
    return ["The newcomer's life, from the start of its container:"] + columns(rows).map { "  " + $0 }
  }

  private var processes: [String] {
    if report.processes.isEmpty { return [] }
    let rows =
      [["", "a sync", "p50", "p99", "together"]]
      + report.processes.prefix(8).map { row in
        [
          row.name, threeDigits(row.perSync), timeText(row.times.median), timeText(row.times.quantile(0.99)),
          timeText(row.inSync),
        ]
      }
    return ["Programs that a sync starts, and what they take:"] + columns(rows).map { "  " + $0 }
  }

  private var strips: [String] {
    guard let example = report.example else { return [] }
    let names = report.streams.map { result in
      (result.stream.isOutgoing ? "to " : "from ") + "\(result.stream.other)"
    }
    let margin = (names.map(\.count).max() ?? 0) + 4
    let strip = StripText(example, room: width - margin)
    return [
      "One trial, \(timeText(strip.step)) a character: x lost, . passed, / both; the container starts at ^"
    ] + zip(names, strip.strips).map { "  " + $0.0.padded(margin - 2) + $0.1 }
      + [String(repeating: " ", count: margin + strip.start) + "^"]
  }

  private var histogram: [String] {
    guard
      let result = report.streams.first(where: { $0.stream.change == .opens && $0.windows.count >= 8 })
        ?? report.streams.first(where: { $0.stream.change == .closes && $0.windows.count >= 8 })
    else { return [] }
    let flow = result.stream.flow
    return ["Windows of \(flow.source) -> \(flow.destination):"] + HistogramText(result.windows, width: width).lines
  }

  // MARK: - Applications

  private var requests: [String] {
    if report.requests.isEmpty { return [] }
    let rows =
      [["", "target", "answered", "refused", "no answer"]]
      + report.requests.map { result in
        let cell = { (ending: RequestResult.Ending) -> String in
          guard let times = result.endings[ending], !times.isEmpty else { return "-" }
          return "\(times.count) in \(timeText(times.median))"
        }
        return [
          "\(result.kind.rawValue), \(result.refusal)", result.target, cell(.answered), cell(.refused), cell(.silent),
        ]
      }
    let others = report.requests.flatMap { result in
      result.endings.compactMap { ending, times -> String? in
        guard case .failed(let why) = ending else { return nil }
        return "  \(result.kind.rawValue), \(result.refusal), \(result.target): \(times.count) failed: \(why)"
      }
    }
    return ["What one request of a newcomer costs, made when its container starts (number and median):"]
      + columns(rows).map { "  " + $0 } + others
  }

  private var survivors: [String] {
    if report.survivors.isEmpty { return [] }
    return ["Begun before the newcomer's own rules stood, tried again when they do:"]
      + report.survivors.map { "  \($0.what): \($0.stillWorks) of \($0.asked) still pass" }
  }

  // MARK: - How far to trust it

  private var resolution: [String] {
    let resolution = report.resolution
    let share = { (value: Double?) in value.map { threeDigits($0) } ?? "-" }
    var lines = wrapped(
      "Resolution: error bars of p50 \(share(resolution.brackets.median)) and p99 "
        + "\(share(resolution.brackets.quantile(0.99))) spacings (\(timeText(resolution.spacing))); the sender was late for "
        + "\(resolution.skipped) of \(resolution.beats) beats.", width: width, indent: 2)
    if !resolution.isRealTime {
      lines += wrapped(
        "Sender and enforcer run as ordinary processes, since SCHED_FIFO is not permitted: a busy machine makes the error "
          + "bars and the enforcer's times longer. Each trial's own error bar says how much.", width: width, indent: 2)
    }
    return lines
  }

  private var advice: [String] {
    var lines: [String] = []
    let changing = report.streams.filter { $0.stream.change != .staysOpen && !$0.windows.isEmpty }
    if let longest = report.longestWindow, let count = changing.map(\.windows.count).min(), count > 0 {
      let sure = 1 - pow999(count)
      let needed = Distribution.sampleSize(toCover: 0.999)
      lines += wrapped(
        "Advice: an init delay of \(timeText(longest.roundedUp)) covers every window seen. With \(counted(count, "trial")) "
          + "that is the p99.9 with \(percent(sure)) confidence"
          + (count < needed ? "; \(needed) trials would give 95 %." : ".")
          + (report.options.apiDelay == .none
            ? " The kubelet's and the API server's delay come on top: --api-delay puts them in." : ""),
        width: width, indent: 2)
    }
    if let opened = report.opened {
      lines += wrapped(
        "An ipBlock \(opened.block) in place of the selector (\(opened.policies.map(\.description).joined(separator: ", "))) loses "
          + "nothing, and opens \(opened.openWithBlock - opened.open) more pod pairs: ingress would admit \(opened.openWithBlock) of "
          + "\(opened.all) pairs, not \(opened.open).", width: width, indent: 2)
    }
    if let gate = report.options.maxGap, let longest = report.longestWindow {
      lines += wrapped(
        report.exceedsGate
          ? "FAILED: the longest window is \(timeText(longest)), more than the \(timeText(gate)) of --max-gap."
          : "Within --max-gap \(timeText(gate)): the longest window is \(timeText(longest)).", width: width, indent: 2)
    }
    return lines
  }

  private func pow999(_ count: Int) -> Double { (0..<count).reduce(1) { product, _ in product * 0.999 } }

  private func percent(_ share: Double) -> String { "\(threeDigits(share * 100)) %" }

  private var notes: [String] { report.notes.flatMap { wrapped("Note: \($0)", width: width, indent: 2) } }

  private var findings: [String] {
    if report.findings.isEmpty { return [] }
    return ["FINDINGS: \(report.findings.count)"]
      + report.findings.prefix(20).flatMap { wrapped($0, width: width, first: "  ", indent: 4) }
  }
}

extension LagStream.Change {
  fileprivate var explanation: String {
    switch self {
    case .opens: "Refused until enforcers know the newcomer (fail-closed):"
    case .closes: "Passing until the newcomer's own rules stand (fail-open):"
    case .staysOpen: "Allowed before and after, by a rule that needs not know the newcomer:"
    }
  }
}

extension Double {
  /// To the next of two digits, so that a delay is easy to say.
  fileprivate var roundedUp: Double {
    var scale = 1.0
    while self / scale > 99 { scale *= 10 }
    return (self / scale).rounded(.up) * scale
  }
}
