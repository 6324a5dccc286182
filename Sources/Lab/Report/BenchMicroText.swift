/// What single rules and a user's own flows cost, for a person.
public struct MicroBenchText {
  private let report: MicroBenchReport
  private let width: Int

  public init(_ report: MicroBenchReport, width: Int = 100) {
    self.report = report
    self.width = max(width, 60)
  }

  public var text: String {
    let heading =
      wrapped(report.environment.text, width: width, indent: 2)
      + wrapped(
        "\(report.machine). \(report.rounds) rounds in \(timeText(report.duration)), \(report.clock.explanation). "
          + "A packet that meets a bare chain: \(whole(report.packet.value)) ns \(report.packet.interval).",
        width: width, indent: 2)
    let rows = columns(
      [["rule, ns each", "back end", "ns", "95 %"]]
        + report.rows.map { [$0.name, $0.backend, decimals($0.cost.value, 1), $0.cost.interval] })
    let resolution = [
      "Resolution, ns of the whole packet (a rule's cost is a hundredth of such a difference): the bare chain measured "
        + "twice \(decimals(report.sameNamespace.value, 1)) \(report.sameNamespace.interval), in another namespace "
        + "\(decimals(report.otherNamespace.value, 1)) \(report.otherNamespace.interval)"
    ].flatMap { wrapped($0, width: width) }
    return [heading, rows, resolution].map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
  }
}

public struct PolicyBenchText {
  private let report: PolicyBenchReport
  private let width: Int

  public init(_ report: PolicyBenchReport, width: Int = 100) {
    self.report = report
    self.width = max(width, 60)
  }

  public var text: String {
    var parts = [
      wrapped(report.environment.text, width: width, indent: 2)
        + wrapped(
          "\(report.machine). The rules of \(report.node); \(report.rounds) rounds in \(timeText(report.duration)), "
            + "\(report.clock.explanation). Nanoseconds that a packet costs more than without rules.", width: width,
          indent: 2)
    ]
    var seen: Set<String> = []
    for row in report.rows where seen.insert("\(row.flows) \(row.phase) \(row.isAllowed)").inserted {
      let own = report.rows.filter { $0.flows == row.flows && $0.phase == row.phase }
      let phase = row.phase == .established ? "established" : "first packets"
      var lines = wrapped("\(row.flows), \(phase):", width: width, indent: 2)
      lines += columns(
        own.map { cell in
          let isBase = cell.rules == BenchRules.none.name
          let cost = isBase ? cell.packet : cell.overNothing
          return ["  \(cell.rules)\(isBase ? " (the packet itself)" : "")", whole(cost.value), cost.interval]
        })
      let verdict = report.verdicts.first { $0.flows == row.flows && $0.phase == row.phase }
      if let verdict { lines += wrapped(verdict.standing.text, width: width, first: "  ", indent: 2) }
      parts.append(lines)
    }
    if report.unequal > 0 {
      parts.append(
        wrapped(
          "Left out: \(counted(report.unequal, "flow")) with which a style does not do what the specification says.",
          width: width))
    }
    parts += [resolutionLines(report.resolutions), noiseLines(report.noise, width)]
    return parts.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
  }
}
