internal import EngineComparison
internal import Kernel
internal import Lowering
internal import NetpolModel
internal import Path
public import Run
internal import StandingLab
internal import Text
internal import Verdicts

/// A run for a person.
public struct TextReport {
  private let report: RunReport
  private let width: Int

  /// `width` is the terminal's, in characters. Below 60 nothing is gained by breaking names.
  public init(_ report: RunReport, width: Int = 100) {
    self.report = report
    self.width = max(width, 60)
  }

  /// No line is longer than the width, but those of rules.
  public var text: String {
    var parts = [heading]
    // A flow that is told in full needs no list that tells it again.
    if report.isToldInFull {
      parts += report.comparisons.map(full) + styleWarnings
    } else {
      parts += grids + services + deviations + styleWarnings + failures
    }
    if !report.expectations.isEmpty {
      parts += ExpectationsText(report.expectations, width: width, inFull: report.tellsExpectationsInFull).parts
    }
    return (parts + [summary]).joined(separator: "\n\n") + "\n"
  }

  private var heading: String {
    let cluster = report.cluster
    let counts = [
      counted(cluster.pods.count, "pod"), counted(cluster.nodes.count, "node"),
      counted(cluster.externalHosts.count, "external host"), counted(cluster.policies.count, "policy", "policies"),
    ]
    var lines = clauses(report.environment.text) + clauses(counts.joined(separator: ", "))
    lines += report.notInLab.flatMap { wrapped("not in the lab: \($0.pod), since \($0.why)", width: width, indent: 2) }
    return lines.joined(separator: "\n")
  }

  /// Broken behind commas.
  private func clauses(_ text: String) -> [String] {
    let clauses = text.split(separator: ", ").map(String.init)
    return filled(clauses.dropLast().map { $0 + "," } + clauses.suffix(1), width: width, indent: 2)
  }

  private var grids: [String] {
    let matrix = Matrix(
      endpoints: report.plan.endpoints, cells: report.comparisons.map { ($0.flow, Matrix.Symbol($0)) })
    let legend = filled(["Rows send, columns receive."] + matrix.legend, separator: "   ", width: width)
    return [legend.joined(separator: "\n")]
      + matrix.grids.map { grid in
        GridText(grid, of: matrix.endpoints, width: width)
          .lines(showingFamily: report.cluster.families.count > 1).joined(separator: "\n")
      }
  }

  private var services: [String] {
    let lines = ServiceText(report.comparisons, senders: report.plan.endpoints).lines(width: width)
    return lines.isEmpty ? [] : [lines.joined(separator: "\n")]
  }

  private func full(_ comparison: Comparison) -> String {
    FlowText(comparison, width: width).full
  }

  // MARK: - What differs

  private var deviations: [String] {
    var byNumber: [[Deviation]: [Comparison]] = [:]
    for comparison in report.comparisons {
      if case .deviation(let numbers) = comparison.finding { byNumber[numbers, default: []].append(comparison) }
    }
    return byNumber.sorted { $0.key.map(\.rawValue).lexicographicallyPrecedes($1.key.map(\.rawValue)) }
      .map { numbers, comparisons in
        let title = numbers.map { "\($0.id) \($0.summary)" }.joined(separator: "; ")
        let examples = comparisons.prefix(4).flatMap { comparison in
          let line = FlowText(comparison, width: width).line
          return wrapped(line, width: width, first: "  ", indent: 6)
        }
        let more = comparisons.count > 4 ? ["  and \(comparisons.count - 4) more"] : []
        return
          (wrapped("Known deviation \(title): \(counted(comparisons.count, "flow"))", width: width) + examples + more)
          .joined(separator: "\n")
      }
  }

  private var styleWarnings: [String] {
    if report.styleWarnings.isEmpty { return [] }
    let lines = report.styleWarnings.flatMap { wrapped("Warning from the style: \($0)", width: width, indent: 2) }
    return [lines.joined(separator: "\n")]
  }

  private var failures: [String] {
    let failures = report.failures
    if failures.isEmpty { return [] }
    let more = failures.count > 20 ? ["and \(failures.count - 20) more"] : []
    return ["DISAGREEMENTS: \(counted(failures.count, "flow"))"] + failures.prefix(20).map(full) + more
  }

  private var summary: String {
    let compared = report.comparisons.filter { $0.observed != nil }.count
    let allowed = report.comparisons.filter { $0.observed == .allow }.count
    let explained = report.comparisons.filter { if case .deviation = $0.finding { true } else { false } }.count
    let evaluatedAlone = report.comparisons.filter { $0.observed == nil && $0.evaluated != nil }.count
    var text =
      "\(counted(compared, "flow")) by real packets in \(report.timings.probe.secondsText): \(allowed) allowed, "
      + "\(compared - allowed) denied. "
    text += "Oracle, evaluator and kernel: \(counted(report.failures.count, "disagreement"))"
    text += explained > 0 ? ", \(explained) explained by known deviations." : "."
    if evaluatedAlone > 0 { text += " \(counted(evaluatedAlone, "flow")) by oracle and evaluator alone." }
    let matrix = report.hasMatrix ? wrapped(text, width: width).joined(separator: "\n") + "\n" : ""
    return matrix
      + "Built in \(report.timings.build.secondsText), rules loaded in \(report.timings.load.secondsText)."
  }
}
