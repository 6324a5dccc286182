public import Documents
public import DumpDiff
internal import NetpolModel
internal import RuleIR
internal import Text

extension DumpComparison {
  /// A node's rules compared with those of a style: `netpol-lab/compare/v1`, documented in docs/compare-json.md.
  /// `meaning`: whether the rules do the same with every packet, if that was asked.
  public func document(style: String, node: String, meaning: EqualityReport? = nil, version: String) -> Document {
    Document(
      schema: "netpol-lab/compare/v1",
      facts: [
        Fact("version", version), Fact("style", style), Fact("node", node), Fact("equal", differences.isEmpty),
        Fact("compared", CountsObject(chains: chains, rules: rules, sets: sets)),
        Fact("foreign", CountsObject(chains: foreign.chains, rules: foreign.rules, sets: foreign.sets)),
        Fact("differences", differences.map(DumpDifferenceObject.init)), Fact("notes", notes),
        Fact("sameMeaning", meaning?.isEqual), Fact("meaning", meaning.map { $0.objects }),
      ],
      sections: [heading(style, node)] + differences.map(section) + [ending(style)]
        + (meaning.map { [Section([.heading($0.title)] + $0.blocks)] } ?? []),
      results: results(in: "\(style) on \(node)", meaning: meaning))
  }

  /// `14 chains, 96 rules, 6 sets`
  var counts: String { "\(counted(chains, "chain")), \(counted(rules, "rule")), \(counted(sets, "set"))" }

  private func heading(_ style: String, _ node: String) -> Section {
    let others = [
      counted(foreign.chains, "chain"), counted(foreign.rules, "rule"), counted(foreign.sets, "set"),
    ].joined(separator: ", ")
    return Section(
      [.heading("\(style) on \(node): \(counts) compared")]
        + (foreign == .init() ? [] : [.paragraph("not compared, of other programs: \(others)")]))
  }

  private func section(_ difference: DumpDiff.Difference) -> Section {
    let shown = 20
    var lines = [difference.title]
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
    let more = difference.lines.count - shown
    return Section([.code(Code(lines))] + (more > 0 ? [.paragraph("… and \(more) more", first: "  ")] : []))
  }

  private func ending(_ style: String) -> Section {
    let result =
      differences.isEmpty ? "equal: the node has what \(style) writes" : counted(differences.count, "difference")
    return Section(notes.map { .note("note", $0) } + [.paragraph(result)])
  }
}

extension DumpDiff.Difference {
  var title: String { "\(subject) \(problem)\(lines.isEmpty ? "" : ":")" }
}

private struct CountsObject: Encodable {
  let chains, rules, sets: Int
}

struct DumpDifferenceObject: Encodable {
  let subject, problem: String
  let onlyOnNode, onlyExpected: [String]

  init(_ difference: DumpDiff.Difference) {
    subject = difference.subject
    problem = difference.problem
    onlyOnNode = difference.lines.compactMap { if case .onlyOnNode(let text) = $0 { text } else { nil } }
    onlyExpected = difference.lines.compactMap { if case .onlyExpected(let text, _) = $0 { text } else { nil } }
  }
}
