import DumpDiff
import Foundation
import NetpolModel
import Report
import RuleIR
import Text

extension DumpComparison {
  /// `14 chains, 96 rules, 6 sets`
  var counts: String { "\(counted(chains, "chain")), \(counted(rules, "rule")), \(counted(sets, "set"))" }

  /// The difference as a person reads it.
  func text(style: String, node: String) -> String {
    var lines = ["\(style) on \(node): \(counts) compared"]
    if foreign != .init() {
      lines.append(
        "of others, not compared: \(counted(foreign.chains, "chain")), \(counted(foreign.rules, "rule")), \(counted(foreign.sets, "set"))"
      )
    }
    for difference in differences {
      lines += ["", difference.title]
      let shown = 20
      for line in difference.lines.prefix(shown) {
        switch line {
        case .onlyOnNode(let text): lines.append("  - on the node: \(text)")
        case .onlyExpected(let text, let origin):
          lines.append("  + expected:    \(text)")
          if let origin, let whose = describe(origin) {
            lines.append("                 (\(whose)\(origin.location.map { ", \($0)" } ?? ""))")
          }
        }
      }
      if difference.lines.count > shown { lines.append("  … and \(difference.lines.count - shown) more") }
    }
    lines += [""] + notes.map { "note: \($0)" }
    lines.append(
      differences.isEmpty ? "equal: the node has what \(style) writes" : counted(differences.count, "difference"))
    return lines.joined(separator: "\n") + "\n"
  }

  /// The schema stands in docs/compare-json.md.
  func json(style: String, node: String, version: String) throws -> Data {
    let report = ComparisonJSON(
      schema: "netpol-lab/compare/v1", version: version, style: style, node: node, equal: differences.isEmpty,
      compared: .init(chains: chains, rules: rules, sets: sets),
      foreign: .init(chains: foreign.chains, rules: foreign.rules, sets: foreign.sets),
      differences: differences.map(ComparisonJSON.Difference.init), notes: notes)
    return try oneLine(report)
  }
}

extension Difference {
  var title: String { "\(subject) \(problem)\(lines.isEmpty ? "" : ":")" }
}

/// `compare -o json`.
struct ComparisonJSON: Encodable {
  struct Counts: Encodable {
    let chains: Int
    let rules: Int
    let sets: Int
  }
  struct Difference: Encodable {
    let subject: String
    let problem: String
    let onlyOnNode: [String]
    let onlyExpected: [String]

    init(_ difference: DumpDiff.Difference) {
      subject = difference.subject
      problem = difference.problem
      onlyOnNode = difference.lines.compactMap { if case .onlyOnNode(let text) = $0 { text } else { nil } }
      onlyExpected = difference.lines.compactMap { if case .onlyExpected(let text, _) = $0 { text } else { nil } }
    }
  }
  let schema: String
  let version: String
  let style: String
  let node: String
  let equal: Bool
  let compared: Counts
  let foreign: Counts
  let differences: [Difference]
  let notes: [String]
}
