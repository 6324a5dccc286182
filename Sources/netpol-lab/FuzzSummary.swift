import Foundation
import Fuzz
import Lowering
import Report

/// A failure with its manifest.
struct FuzzFinding: Encodable {
  let seed: UInt64
  let style: String
  let kind: String
  /// One line, of the world as its seed makes it.
  let what: String
  /// Shrunk, with a comment that says what it shows.
  let manifest: String

  /// `state` says where in a sequence it was; `smallest` what the manifest shows, nil where it is not shrunk.
  init(
    seed: UInt64, style: String, failure: FuzzFailure, of count: Int, at state: String? = nil, smallest: String?,
    manifest: String
  ) {
    self.seed = seed
    self.style = style
    kind = failure.kind.rawValue
    let place = state.map { "\($0): " } ?? ""
    what = "\(place)\(failure.text) (\(count) in all)"
    self.manifest = "# seed \(seed), style \(style)\n# \(smallest ?? place + failure.text)\n" + manifest
  }

  var text: String { "seed \(seed), style \(style): \(what)\n\(manifest)" }
}

/// The end of a fuzz run, in a few lines, or all of it for programs: `netpol-lab/fuzz/v1`.
struct FuzzSummary {
  var coverage = FuzzCoverage()
  var clusters = 0
  var findings: [FuzzFinding] = []
  var labs = 0
  var time = Duration.zero

  private var seconds: Double { time / .seconds(1) }
  private var rate: Int { Int((Double(coverage.flows) / max(seconds, 0.001)).rounded()) }
  private var unmatched: [String] { coverage.written.subtracting(coverage.matched).map(\.rawValue).sorted() }

  var text: String {
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
    return lines.joined(separator: "\n") + "\n"
  }

  /// UTF-8, one line; docs/fuzzing.md has the fields.
  func json() throws -> Data {
    try oneLine(
      Document(
        clusters: clusters, cases: coverage.cases, states: coverage.states, flows: coverage.flows,
        allowed: coverage.allowed, packets: coverage.observed, labs: labs, seconds: seconds, flowsPerSecond: rate,
        deviations: Dictionary(uniqueKeysWithValues: coverage.deviations.map { ($0.key.id, $0.value) }),
        unmatched: unmatched, findings: findings))
  }

  private struct Document: Encodable {
    let schema = "netpol-lab/fuzz/v1"
    let clusters, cases, states, flows, allowed, packets, labs: Int
    let seconds: Double
    let flowsPerSecond: Int
    let deviations: [String: Int]
    let unmatched: [String]
    let findings: [FuzzFinding]
  }
}
