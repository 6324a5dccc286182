import Lab
import Lowering

/// The end of a fuzz run, in a few lines.
struct FuzzSummary {
  private let coverage: FuzzCoverage
  private let clusters: Int
  private let failed: Int
  private let labs: Int
  private let time: Duration

  init(_ coverage: FuzzCoverage, clusters: Int, failed: Int, labs: Int, time: Duration) {
    self.coverage = coverage
    self.clusters = clusters
    self.failed = failed
    self.labs = labs
    self.time = time
  }

  var text: String {
    let seconds = time / .seconds(1)
    let rate = { (count: Int) in Int((Double(count) / max(seconds, 0.001)).rounded()) }
    let numbers = coverage.deviations.sorted { $0.key < $1.key }.map { "\($0.key.id) \($0.value)" }
    let unmet = coverage.written.subtracting(coverage.matched).map(\.rawValue).sorted()
    var lines = [
      "\(clusters) clusters in \(coverage.cases) cases (a cluster in a style), \(failed) of them with a finding",
      "\(coverage.flows) flows, \(coverage.allowed) allowed; in \(Int(seconds.rounded())) s, \(rate(coverage.flows)) flows/s",
    ]
    if coverage.casesWithPackets > 0 {
      lines.append("\(coverage.observed) flows with packets, in \(labs) labs")
    }
    lines.append("deviations by flows: \(numbers.isEmpty ? "none" : numbers.joined(separator: ", "))")
    lines.append("kinds of rules that no packet matched: \(unmet.isEmpty ? "none" : unmet.joined(separator: ", "))")
    return lines.joined(separator: "\n") + "\n"
  }
}
