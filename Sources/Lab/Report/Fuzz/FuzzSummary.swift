public import Fuzz
internal import Lowering
internal import RuleIR

/// The end of a fuzz run: `netpol-lab/fuzz/v1`, documented in docs/fuzzing.md.
public struct FuzzSummary {
  public var coverage = FuzzCoverage()
  public var clusters = 0
  public var findings: [FuzzFinding] = []
  public var labs = 0
  public var time = Duration.zero

  public init() {}

  private var seconds: Double { time / .seconds(1) }
  private var rate: Int { Int((Double(coverage.flows) / max(seconds, 0.001)).rounded()) }
  private var unmatched: [String] { coverage.written.subtracting(coverage.matched).map(\.rawValue).sorted() }

  public var document: Document {
    Document(
      schema: "netpol-lab/fuzz/v1",
      facts: [
        Fact("clusters", clusters), Fact("cases", coverage.cases), Fact("states", coverage.states),
        Fact("flows", coverage.flows), Fact("allowed", coverage.allowed), Fact("packets", coverage.observed),
        Fact("labs", labs), Fact("seconds", seconds), Fact("flowsPerSecond", rate),
        Fact(
          "deviations", Dictionary(uniqueKeysWithValues: coverage.deviations.map { ($0.key.id, $0.value) })),
        Fact("unmatched", unmatched), Fact("findings", findings),
      ],
      sections: [section])
  }

  /// A few lines.
  private var section: Section {
    let numbers = coverage.deviations.sorted { $0.key < $1.key }.map { "\($0.key.id) \($0.value)" }
    var lines = [
      "\(clusters) clusters in \(coverage.cases) cases (a cluster in a style), \(findings.count) of them with a finding",
      "\(coverage.flows) flows, \(coverage.allowed) allowed; in \(Int(seconds.rounded())) s, \(rate) flows/s",
    ]
    if coverage.states > coverage.cases {
      lines.append("\(coverage.states) states of clusters that change, \(coverage.states - coverage.cases) changes")
    }
    if coverage.casesWithPackets > 0 {
      lines.append("\(coverage.observed) flows with packets, in \(labs) labs")
    }
    lines.append("deviations by flows: \(numbers.isEmpty ? "none" : numbers.joined(separator: ", "))")
    lines.append(
      "kinds of rules that no packet matched: \(unmatched.isEmpty ? "none" : unmatched.joined(separator: ", "))")
    return Section(lines.map { .paragraph($0, indent: 2) })
  }
}
