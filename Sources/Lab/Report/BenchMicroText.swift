public import Bench
internal import StandingLab
internal import Statistics
internal import Text

/// What single rules cost, for a person.
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
    let parts = [
      heading, rows, resolution, noiseLines(report.noise, width), interruptionLines(report.interruption, width),
    ]
    return parts.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
  }
}
