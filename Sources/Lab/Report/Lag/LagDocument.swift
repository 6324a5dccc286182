public import Documents
public import Lag
internal import Lowering
internal import NetpolModel
internal import StandingLab
internal import Statistics
internal import Text

extension LagReport {
  /// A lag run: `netpol-lab/lag/v1`, documented in docs/lag-json.md.
  public var document: Document {
    Document(schema: "netpol-lab/lag/v1", facts: facts, sections: LagSections(self).all, results: results)
  }
}

/// A lag run as text.
private struct LagSections {
  private let report: LagReport

  init(_ report: LagReport) { self.report = report }

  var all: [Section] {
    [heading] + streams + [
      between, timeline, processes, strips, histogram, requests, survivors, resolution, advice, notes, findings,
    ]
  }

  private var heading: Section {
    let options = report.options
    let trials = counted(options.trials, "trial")
    return Section([
      .paragraph(report.environment.text, indent: 2),
      .paragraph(
        "\(report.world.description), enforcer \(options.agent.rawValue) on \(report.world.nodes.joined(separator: ", ")).",
        indent: 2),
      .paragraph(
        "\(report.world.change); \(trials), a packet every \(timeText(report.resolution.spacing)), "
          + "\(timeText(report.duration)) in total.",
        indent: 2),
    ])
  }

  // MARK: - Windows

  private var streams: [Section] {
    [
      Section([
        .heading(
          "Time from the start of the container until the outcome of packets changes (95 % confidence in brackets):")
      ])
    ]
      + LagStream.Change.allCases.compactMap { kind in
        let results = report.streams.filter { $0.stream.change == kind }
        return results.isEmpty ? nil : Section([.heading(kind.explanation)] + results.flatMap(blocks(of:)))
      }
  }

  private func blocks(of result: LagReport.StreamResult) -> [Block] {
    let flow = result.stream.flow
    let line = { (text: String) in Block.paragraph(text, first: "      ", indent: 6) }
    var blocks = [
      Block.paragraph(
        "\(flow.source) -> \(flow.destination) \(flow.question): \(result.stream.decidedBy)", first: "  ", indent: 6)
    ]
    if result.stream.change == .staysOpen {
      blocks.append(line("\(result.lost) of \(counted(result.sent, result.stream.unit)) lost"))
      if !result.gaps.isEmpty {
        blocks.append(
          line(
            "closed in \(counted(result.gaps.count, "trial")) during the sync, while old chains work with new sets: "
              + "p50 \(timeText(result.gaps.median)), max \(timeText(result.gaps.largest))"))
      }
    } else if result.windows.isEmpty {
      blocks.append(line("no trial has a result"))
    } else {
      let verb = result.stream.change == .opens ? "lost" : "passed"
      let inWindow = result.inWindow.median.map { counted(Int($0), result.stream.unit) } ?? "-"
      blocks += [
        quantiles(of: result.windows, indent: 6),
        line(
          "\(inWindow) \(verb) (p50), one every \(timeText(result.spacing)); "
            + "error bar p50 \(timeText(result.brackets.median)), max \(timeText(result.brackets.largest))"),
      ]
    }
    return blocks
      + result.undecided.sorted(by: { $0.key < $1.key }).map { reason, count in
        line("\(counted(count, "trial")) without a result: \(reason)")
      }
  }

  private func quantiles(of times: Distribution, indent: Int) -> Block {
    let quantiles = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)].map { name, q in
      "\(name) \(timeText(times.quantile(q))) \(intervalText(times, q))"
    }
    return .table(
      Table(
        (quantiles + ["max"]).map { _ in Table.Column() }, indent: indent,
        [(quantiles + ["max \(timeText(times.largest))"]).map { .text($0) }]))
  }

  private var between: Section {
    if report.betweenWindows.isEmpty { return Section([]) }
    return Section([
      .heading("Between the two windows: peers admit the new pod, and its own rules don't confine it yet:"),
      quantiles(of: report.betweenWindows, indent: 6),
    ])
  }

  private func intervalText(_ values: Distribution, _ q: Double) -> String {
    let interval = values.interval(q)
    return "[\(interval.lower.map { timeText($0) } ?? "?") .. \(interval.upper.map { timeText($0) } ?? "?")]"
  }

  // MARK: - Timeline

  private var timeline: Section {
    if report.timeline.isEmpty { return Section([]) }
    let quantiles = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1)]
    let columns = [Table.Column()] + quantiles.map { Table.Column(title: $0.0, form: .time) }
    let rows = report.timeline.map { row in
      [Table.Cell.text(row.name)] + quantiles.map { .number(row.times.quantile($0.1)) }
    }
    return Section([
      .heading("Timeline from the start of the container:"), .table(Table(columns, indent: 2, rows)),
    ])
  }

  private var processes: Section {
    if report.processes.isEmpty { return Section([]) }
    let columns =
      [Table.Column(), Table.Column(title: "per sync", form: .threeDigits)]
      + ["p50", "p99", "total"].map { Table.Column(title: $0, form: .time) }
    let rows = report.processes.prefix(8).map { row -> [Table.Cell] in
      [
        .text(row.name), .number(row.perSync), .number(row.times.median), .number(row.times.quantile(0.99)),
        .number(row.inSync),
      ]
    }
    return Section([
      .heading("Programs that a sync starts, and how long they take:"), .table(Table(columns, indent: 2, rows)),
    ])
  }

  private var strips: Section {
    guard let example = report.example else { return Section([]) }
    let names = report.streams.map { result in
      (result.stream.isOutgoing ? "to " : "from ") + "\(result.stream.other)"
    }
    return Section([.plot(.strips(Strips(names: names, streams: example.streams)))])
  }

  private var histogram: Section {
    guard
      let result = report.streams.first(where: { $0.stream.change == .opens && $0.windows.count >= 8 })
        ?? report.streams.first(where: { $0.stream.change == .closes && $0.windows.count >= 8 })
    else { return Section([]) }
    let flow = result.stream.flow
    return Section([.heading("Windows of \(flow.source) -> \(flow.destination):"), .plot(.bars(result.windows))])
  }

  // MARK: - Applications

  private var requests: Section {
    if report.requests.isEmpty { return Section([]) }
    let columns = ["", "target", "answered", "refused", "no answer"].map { Table.Column(title: $0) }
    let rows = report.requests.map { result -> [Table.Cell] in
      let cell = { (ending: RequestResult.Ending) -> Table.Cell in
        guard let times = result.endings[ending], !times.isEmpty else { return .text("-") }
        return .text("\(times.count) in \(timeText(times.median))")
      }
      return [
        .text("\(result.kind.rawValue), \(result.refusal)"), .text(result.target), cell(.answered), cell(.refused),
        cell(.silent),
      ]
    }
    let others = report.requests.flatMap { result in
      result.endings.compactMap { ending, times -> Block? in
        guard case .failed(let why) = ending else { return nil }
        return .paragraph(
          "\(result.kind.rawValue), \(result.refusal), \(result.target): \(times.count) failed: \(why)", first: "  ",
          indent: 4)
      }
    }
    return Section(
      [
        .heading("Cost of one request that a new pod makes when its container starts (count and median time):"),
        .table(Table(columns, indent: 2, rows)),
      ] + others)
  }

  private var survivors: Section {
    if report.survivors.isEmpty { return Section([]) }
    return Section(
      [.heading("Connections opened before the new pod's own rules were in place, tested afterwards:")]
        + report.survivors.map {
          .paragraph("\($0.what): \($0.stillWorks) of \($0.asked) pass", first: "  ", indent: 4)
        })
  }

  // MARK: - Precision and advice

  private var resolution: Section {
    let resolution = report.resolution
    let share = { (value: Double?) in value.map { threeDigits($0) } ?? "-" }
    var blocks = [
      Block.note(
        "Resolution",
        "error bars are p50 \(share(resolution.brackets.median)) and p99 "
          + "\(share(resolution.brackets.quantile(0.99))) spacings of \(timeText(resolution.spacing)); "
          + "the sender was late for \(resolution.skipped) of \(resolution.beats) beats.")
    ]
    let interval = resolution.slowdown.interval(0.5)
    if let slowdown = resolution.slowdown.median, interval.lower != nil, interval.upper != nil {
      blocks.append(
        .paragraph(
          "Programs of a sync took \(share(slowdown)) times as long while packets flowed as without "
            + "(95 % confidence: \(share(interval.lower)) to \(share(interval.upper))).", indent: 2))
    }
    if !resolution.isRealTime {
      blocks.append(
        .paragraph(
          "Sender and enforcer run as ordinary processes, because SCHED_FIFO is not permitted. A busy machine makes "
            + "the error bars and the enforcer's times longer. Each trial's own error bar shows by how much.",
          indent: 2))
    }
    return Section(blocks)
  }

  private var advice: Section {
    var blocks: [Block] = []
    let changing = report.streams.filter { $0.stream.change != .staysOpen && !$0.windows.isEmpty }
    if report.lacksResults {
      blocks.append(.note("Advice", "none: some windows have no result"))
    } else if let longest = report.longestWindow, let count = changing.map(\.windows.count).min(), count > 0 {
      let sure = 1 - pow999(count)
      let needed = Distribution.sampleSize(toCover: 0.999)
      blocks.append(
        .note(
          "Advice",
          "an init delay of \(timeText(longest.roundedUp)) covers every measured window. "
            + "With \(counted(count, "trial")) that covers p99.9 with \(percent(sure)) confidence"
            + (count < needed ? "; \(needed) trials would give 95 %." : ".")
            + (report.options.apiDelay == .none
              ? " Delays of the kubelet and the API server are not included: add them with --api-delay." : "")))
    }
    if let opened = report.opened {
      blocks.append(
        .paragraph(
          "An ipBlock \(opened.block) instead of the selector "
            + "(\(opened.policies.map(\.description).joined(separator: ", "))) loses no packets, but opens "
            + "\(counted(opened.openWithBlock - opened.open, "more pod pair")): ingress would admit "
            + "\(opened.openWithBlock) of \(opened.all) pairs instead of \(opened.open).", indent: 2))
    }
    if let gate = report.options.maxGap, report.lacksResults {
      blocks.append(
        .paragraph(
          "FAILED: some windows have no result, so they may be longer than --max-gap \(timeText(gate)).", indent: 2))
    } else if let gate = report.options.maxGap, let longest = report.longestWindow {
      blocks.append(
        .paragraph(
          report.exceedsGate
            ? "FAILED: the longest window is \(timeText(longest)), longer than --max-gap \(timeText(gate))."
            : "Within --max-gap \(timeText(gate)): the longest window is \(timeText(longest)).", indent: 2))
    }
    return Section(blocks)
  }

  private func pow999(_ count: Int) -> Double { (0..<count).reduce(1) { product, _ in product * 0.999 } }

  private func percent(_ share: Double) -> String { "\(threeDigits(share * 100)) %" }

  private var notes: Section { Section(report.notes.map { .note("Note", $0) }) }

  private var findings: Section {
    if report.findings.isEmpty { return Section([]) }
    return Section(
      [.heading("FINDINGS: \(report.findings.count)")]
        + report.findings.prefix(20).map { .paragraph($0, first: "  ", indent: 4) })
  }
}

extension LagStream.Change {
  fileprivate var explanation: String {
    switch self {
    case .opens: "Refused until the rules include the new pod (fail-closed):"
    case .closes: "Allowed until the new pod's own rules are in place (fail-open):"
    case .staysOpen: "Allowed before and after, by a rule that applies from the start:"
    }
  }
}

extension Double {
  /// Rounded up to two digits, so that the delay is easy to write.
  fileprivate var roundedUp: Double {
    var scale = 1.0
    while self / scale > 99 { scale *= 10 }
    return (self / scale).rounded(.up) * scale
  }
}
