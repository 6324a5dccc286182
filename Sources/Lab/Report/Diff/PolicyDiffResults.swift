internal import Documents
internal import EngineComparison
internal import NetpolModel
internal import PolicyDiff
internal import Run
internal import Text

/// A result for each row that a difference opens or closes, and for each packet that contradicts the specification.
struct PolicyDiffResults {
  private let report: PolicyDiffReport
  private let difference: PolicyDifference
  private let names: EndNames
  private let flows: ComparisonResult

  init(_ report: PolicyDiffReport, _ names: EndNames) {
    self.report = report
    difference = report.difference
    self.names = names
    flows = ComparisonResult(report.difference.clusters.new, strict: false)
  }

  var all: [Document.Result] {
    let equal = Document.Result(.asExpected, .passed, in: "Difference", "all flows", "no flow is judged differently")
    return (report.isEqual ? [equal] : difference.rows.map(row)) + packets
      + report.warnings.map { Document.Result(warning: $0, .inputWarning, in: "Input") }
  }

  private func row(_ row: DifferenceRow) -> Document.Result {
    let senders = names.text(row.senders, alike: row.alike.senders).joined(separator: ", ")
    let destinations = names.text(row.destinations, alike: row.alike.destinations).joined(separator: ", ")
    let object = "\(senders) -> \(destinations): \(difference.space.portsText(row.questions))"
    let verb = row.isOpened ? "OLD denies and NEW allows" : "OLD allows and NEW denies"
    let judged = judgements(row)
    let reasons = judged.map { "\($0.side.rawValue) \($0.text)" }
    // What allows it, on the side that does.
    let allowing = judged.filter { $0.side == (row.isOpened ? .new : .old) }.compactMap(\.place)
    let others = judged.compactMap(\.place)
    return Document.Result(
      row.isOpened ? .opened : .closed, .found(level(row)), in: row.isOpened ? "Opened" : "Closed", object,
      ([verb] + reasons).joined(separator: "; "), at: allowing.last ?? others.last,
      journey: judged.compactMap { one in
        one.place.map { Document.Result.Step($0, "\(one.side.rawValue) \(one.text)") }
      })
  }

  /// With only new access in question, what is closed is no failure.
  private func level(_ row: DifferenceRow) -> Document.Result.Level {
    row.isOpened || !report.onlyNewAccess ? .error : .warning
  }

  private struct Judged {
    let side: ComparedClusters.Side
    let text: String
    let place: SourceLocation?
  }

  /// What both sides say of one flow of the row, in each direction that differs.
  private func judgements(_ row: DifferenceRow) -> [Judged] {
    guard let example = difference.example(of: row) else { return [] }
    let question = difference.space.questions[example.question]
    return Direction.allCases.filter(row.directions.contains).flatMap { direction in
      ComparedClusters.Side.allCases.map { side in
        let flow = difference.flow(example.source, example.destination, question, side)
        let judgement = difference.judge(flow, direction, side)
        let text = "\(judgement.verdict.rawValue): \(judgement.because.map(\.text).joined(separator: "; "))"
        let policies = difference.clusters[side].policies
        return Judged(
          side: side, text: text,
          place: judgement.because.lazy.compactMap { reason in place(reason, policies) }.first)
      }
    }
  }

  /// The rule that admits, or a policy that isolates.
  private func place(_ reason: Reason, _ policies: [NetworkPolicy]) -> SourceLocation? {
    if case .admitted(let direction, let id, let rule, _) = reason {
      let policy = policies.first { $0.id == id }
      return policy?.rules(direction).dropFirst(rule).first?.location ?? policy?.location
    }
    if case .isolated(_, let ids) = reason { return policies.first { $0.id == ids.first }?.location }
    return nil
  }

  private var packets: [Document.Result] {
    report.packets.flatMap { packet -> [Document.Result] in
      guard case .sent(let old, let new) = packet else { return [] }
      return [("OLD", old), ("NEW", new)].map { flows.result($1.comparison, in: "Packets under \($0)") }
    }
  }
}

extension Document.Result.Rule {
  fileprivate static let opened = Self(
    "opened", "The new policies allow flows that the old ones deny", page: "docs/diff.md")
  fileprivate static let closed = Self(
    "closed", "The new policies deny flows that the old ones allow", page: "docs/diff.md")
}
