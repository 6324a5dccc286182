public import Bench
internal import Manifests
internal import Statistics
internal import Text

/// What packets of a user's own flows cost, for a person.
public struct PolicyBenchText {
  private let report: PolicyBenchReport
  private let width: Int

  public init(_ report: PolicyBenchReport, width: Int = 100) {
    self.report = report
    self.width = max(width, 60)
  }

  public var text: String {
    let parts =
      [heading, sent] + subjects.map(lines) + [resolution]
      + [noiseLines(report.noise, width), interruptionLines(report.interruption, width)]
    return parts.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
  }

  private var heading: [String] {
    packetHeading(
      report.environment, "\(report.machine). \(report.rounds) rounds in \(timeText(report.duration))", report.clock,
      isRealTime: report.isRealTime, width)
  }

  /// What was chosen of the user's flows.
  private var sent: [String] {
    let origin = report.origin
    let ways = BenchProbe.Way.allCases.map { way in "\(report.sent.count { $0.way == way }) \(way.rawValue)" }
    var text =
      "The rules of \(origin.node), with \(counted(origin.pods, "pod")), for "
      + "\(counted(origin.policies, "policy", "policies")) of the cluster. Of \(counted(origin.flows, "flow")) to those "
      + "pods that policies and ports tell apart, \(report.sent.count) are sent: "
      + "\(report.sent.count(where: \.isAllowed)) allowed, \(report.sent.count { !$0.isAllowed }) denied; "
      + "\(ways.joined(separator: ", "))."
    if origin.unequal > 0 {
      text +=
        " Left out: \(counted(origin.unequal, "flow")) with which a style does not do what the specification says."
    }
    if origin.policies == 0 { text += " No policy: it is the styles' own rules for pods alone that cost something." }
    return wrapped(text, width: width, indent: 2)
  }

  private struct Subject: Hashable {
    let flows: String
    let phase: BenchProbe.Phase
  }

  /// In the order in which they come.
  private var subjects: [Subject] {
    var seen: Set<Subject> = []
    return report.rows.map { Subject(flows: $0.flows, phase: $0.phase) }.filter { seen.insert($0).inserted }
  }

  private func lines(_ subject: Subject) -> [String] {
    let phase = subject.phase == .established ? "established" : "first packets"
    var lines = wrapped("\(subject.flows), \(phase):", width: width, indent: 2)
    lines += columns(
      report.rows.filter { $0.flows == subject.flows && $0.phase == subject.phase }.map { row in
        let isBase = row.rules == BenchRules.none.name
        let cost = isBase ? row.packet : row.overNothing
        return ["  \(row.rules)\(isBase ? " (the packet itself)" : "")", whole(cost.value), cost.interval]
      })
    let verdict = report.verdicts.first { $0.flows == subject.flows && $0.phase == subject.phase }
    if let verdict { lines += wrapped(verdict.standing.text, width: width, first: "  ", indent: 2) }
    return lines
  }

  private var resolution: [String] {
    guard let worst = report.resolutions.max(by: { $0.share < $1.share }) else { return [] }
    return wrapped(
      "Resolution: the same measured twice (\(worst.rules)) differs by \(decimals(abs(worst.difference.value), 1)) ns at the "
        + "most, \(decimals(worst.share * 100, 2)) % of a packet without rules: \(worst.what).", width: width, indent: 2
    )
  }
}
