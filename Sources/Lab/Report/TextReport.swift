internal import Comparison
internal import Kernel
internal import Lowering
internal import NetpolModel
internal import Oracle
internal import Path

/// A run for a person.
public struct TextReport {
  private let report: RunReport
  private let width: Int

  /// `width` is the terminal's, in characters.
  public init(_ report: RunReport, width: Int = 100) {
    self.report = report
    self.width = max(width, 60)
  }

  public var text: String {
    let single = report.plan.flows.count + report.plan.unasked.count <= 8
    var parts = [heading]
    if single { parts += flows } else { parts += [legend] + grids }
    parts += deviations + findings + failures + [summary]
    return parts.joined(separator: "\n\n") + "\n"
  }

  private var heading: String {
    let cluster = report.cluster
    let counts = [
      "\(cluster.pods.count) pods", "\(cluster.nodes.count) nodes", "\(cluster.externalHosts.count) external hosts",
      "\(cluster.policies.count) policies",
    ]
    let left = report.enforced.topology.left.map { "not in the lab: \($0.pod), since \($0.why)" }
    return ([report.environment.text, counts.joined(separator: ", ")] + left).joined(separator: "\n")
  }

  private var legend: String {
    "Rows send, columns receive.  . allowed   X denied   - no way there   ? undecided"
  }

  // MARK: - Grids

  private var matrix: Matrix {
    Matrix(
      endpoints: report.plan.endpoints,
      cells: report.comparisons.map { comparison in
        let symbol: Matrix.Symbol =
          switch comparison.finding {
          case .undecided: .unknown
          case .noRoute: .noRoute
          default:
            switch comparison.verdict {
            case .allow: .allowed
            case .deny: .denied
            case nil: .noRoute
            }
          }
        return (comparison.flow, symbol)
      })
  }

  private var grids: [String] {
    let matrix = matrix
    return matrix.grids.map { grid in
      let groups = grid.groups(count: matrix.endpoints.count)
      let shown = groups.enumerated().filter { _, group in
        groups.contains { grid.symbol(from: group, to: $0) != .nothing || grid.symbol(from: $0, to: group) != .nothing }
      }
      let targets = shown.filter { _, group in group.contains { grid.columns[$0] != nil } }
      var lines = title(grid)
      let numberWidth = String(groups.count).count
      lines.append(
        pad("", numberWidth) + "  " + targets.map { pad("\($0.offset + 1)", numberWidth) }.joined(separator: " "))
      let nameWidth = max(24, width - numberWidth - 4 - targets.count * (numberWidth + 1))
      for (index, group) in shown {
        let cells = targets.map { pad(String(grid.symbol(from: group, to: $0.element).rawValue), numberWidth) }
        let names = wrapped(namesText(group.map { matrix.endpoints[$0] }), width: nameWidth)
        lines.append(pad("\(index + 1)", numberWidth) + "  " + cells.joined(separator: " ") + "  " + names[0])
        let indent = String(repeating: " ", count: numberWidth + 4 + targets.count * (numberWidth + 1) - 1)
        lines += names.dropFirst().map { indent + $0 }
      }
      return lines.joined(separator: "\n")
    }
  }

  private func title(_ grid: Matrix.Grid) -> [String] {
    let family = report.cluster.families.count > 1 ? "\(grid.family.rawValue)  " : ""
    let some = Dictionary(grouping: grid.portsAtSome) { namesText($0.destinations) }
      .map { "\(portsText($0.value.map(\.port))) at \($0.key)" }.sorted()
    let also = some.isEmpty ? [] : wrapped("also \(some.joined(separator: "; "))", width: width - 2).map { "  \($0)" }
    return wrapped(family + portsText(grid.ports), width: width) + also
  }

  private func pad(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  // MARK: - Single flows

  private var flows: [String] {
    let observed = Dictionary(zip(report.plan.flows, report.observations)) { first, _ in first }
    return report.comparisons.map { comparison in
      FlowText(comparison, report.enforced, observed: observed[comparison.flow]).full
    }
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
        let examples = comparisons.prefix(4).map { "  \(FlowText($0, report.enforced, observed: nil).line)" }
        let more = comparisons.count > 4 ? ["  and \(comparisons.count - 4) more"] : []
        return
          (wrapped("Known deviation \(title): \(count(comparisons.count, "flow"))", width: width) + examples + more)
          .joined(separator: "\n")
      }
  }

  private var findings: [String] {
    report.findings.isEmpty ? [] : [report.findings.map { "Finding: \($0)" }.joined(separator: "\n")]
  }

  private var failures: [String] {
    let failures = report.failures
    if failures.isEmpty { return [] }
    let observed = Dictionary(zip(report.plan.flows, report.observations)) { first, _ in first }
    let shown = failures.prefix(20).map { FlowText($0, report.enforced, observed: observed[$0.flow]).full }
    let more = failures.count > 20 ? ["and \(failures.count - 20) more"] : []
    return ["DISAGREEMENTS: \(count(failures.count, "flow"))"] + shown + more
  }

  private var summary: String {
    let compared = report.comparisons.filter { $0.observed != nil }.count
    let allowed = report.comparisons.filter { $0.observed == .allow }.count
    let explained = report.comparisons.filter { if case .deviation = $0.finding { true } else { false } }.count
    let evaluatedAlone = report.comparisons.filter { $0.observed == nil && $0.evaluated != nil }.count
    var text =
      "\(count(compared, "flow")) by real packets in \(report.timings.probe.secondsText): \(allowed) allowed, "
      + "\(compared - allowed) denied. "
    text += "Oracle, evaluator and kernel: \(count(report.failures.count, "disagreement"))"
    text += explained > 0 ? ", \(explained) explained by known deviations." : "."
    if evaluatedAlone > 0 { text += " \(count(evaluatedAlone, "flow")) by oracle and evaluator alone." }
    return wrapped(text, width: width).joined(separator: "\n")
      + "\nBuilt in \(report.timings.build.secondsText), rules loaded in \(report.timings.load.secondsText)."
  }

  private func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}

extension Duration {
  /// Seconds with two digits behind the point.
  var secondsText: String {
    let hundredths = Int((self / .milliseconds(10)).rounded())
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) s"
  }
}
