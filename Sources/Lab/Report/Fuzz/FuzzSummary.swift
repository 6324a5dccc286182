public import Documents
public import Fuzz
internal import Lowering
internal import RuleIR
internal import Text

/// The summary of a fuzz run: `netpol-lab/fuzz/v1`, documented in docs/fuzzing.md.
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
        Fact("provedClasses", coverage.provedClasses), Fact("classPackets", coverage.classPackets),
        Fact("tracedFlows", coverage.tracedFlows),
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
      "\(counted(clusters, "cluster")) in \(counted(coverage.cases, "case")) (a case is a cluster in a style), "
        + "\(counted(findings.count, "case")) with a finding",
      "\(counted(coverage.flows, "flow")), \(coverage.allowed) allowed; in \(Int(seconds.rounded())) s, "
        + "\(rate) flows/s",
    ]
    if coverage.states > coverage.cases {
      lines.append(
        "\(counted(coverage.states, "state")) of clusters that change, "
          + counted(coverage.states - coverage.cases, "change"))
    }
    if coverage.casesWithPackets > 0 {
      lines.append("\(counted(coverage.observed, "flow")) with packets, in \(counted(labs, "lab"))")
    }
    if coverage.provedClasses > 0 { lines.append("\(grouped(coverage.provedClasses)) classes of packets proved") }
    if coverage.tracedFlows > 0 {
      lines.append("\(grouped(coverage.tracedFlows)) packets traced by the kernel: rule by rule as the evaluator")
    }
    if coverage.classPackets > 0 {
      lines.append("\(grouped(coverage.classPackets)) random packets compared with their classes")
    }
    lines.append("flows by deviation: \(numbers.isEmpty ? "none" : numbers.joined(separator: ", "))")
    lines.append(
      "kinds of rules that no packet matched: \(unmatched.isEmpty ? "none" : unmatched.joined(separator: ", "))")
    return Section(lines.map { .paragraph($0, indent: 2) })
  }
}
