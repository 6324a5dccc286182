internal import Algorithms
internal import Documents
internal import Enforcement
internal import EngineComparison
internal import Lowering
internal import NetpolModel
internal import Run
internal import Text

/// A run by class: findings first, then what was done, then who reaches whom.
struct SurveySections {
  private let report: RunReport
  private let survey: SurveyResult
  private let view: GridView

  init(_ report: RunReport, _ survey: SurveyResult) {
    self.report = report
    self.survey = survey
    view = GridView(survey.grid, report.view)
  }

  var findings: [Section] { mixed + deviations + [unreached] }

  private var mixed: [Section] {
    if survey.mixed.isEmpty { return [] }
    let sorted = survey.mixed.sorted { $0.senders > $1.senders }
    let lines = sorted.prefix(Self.examples).compactMap { mixed -> Block? in
      guard let line = ServiceAnswer.all(mixed.comparisons).first?.line else { return nil }
      let more = mixed.senders > 1 ? " (so for \(counted(mixed.senders, "sender")))" : ""
      return .paragraph(line + more, first: "  ", indent: 6)
    }
    return [
      Section(
        [.heading("Services with mixed answers: \(counted(survey.mixed.count, "question"))")] + lines
          + more(survey.mixed.count))
    ]
  }

  private static let examples = 4
  private func more(_ count: Int) -> [Block] {
    count > Self.examples ? [.paragraph("and \(grouped(count - Self.examples)) more", first: "  ")] : []
  }

  /// One section for each set of deviations, the most flows first.
  private var deviations: [Section] {
    var found: [[Deviation]: [SurveyResult.Found]] = [:]
    for one in survey.found {
      if case .deviation(let numbers) = one.comparison.finding { found[numbers, default: []].append(one) }
    }
    let total = { (found: [SurveyResult.Found]) in found.reduce(0) { $0 + $1.count } }
    return found.map { (numbers: $0, found: $1) }.sorted { total($0.found) > total($1.found) }.map { numbers, found in
      let title = numbers.map { "\($0.id) \($0.summary)" }.joined(separator: "; ")
      let count = total(found)
      let lines = found.sorted { $0.count > $1.count }.prefix(Self.examples).map { one -> Block in
        let flow = one.comparison.flow
        let (from, to) = (survey.grid.name(flow.source), survey.grid.name(flow.destination))
        let verdict = one.comparison.evaluated == .allow ? "allowed" : "denied"
        let many = one.count > 1 ? " (\(grouped(one.count)) flows like \(flow.source) -> \(flow.destination))" : ""
        return .paragraph("\(from) -> \(to) \(flow.question): \(verdict)\(many)", first: "  ", indent: 6)
      }
      return Section(
        [.heading("Known deviation \(title): \(count == 1 ? "1 flow" : "\(grouped(count)) flows")")] + lines
          + more(found.count))
    }
  }

  private var unreached: Section {
    let names = survey.grid.unreached
    if names.isEmpty { return Section([]) }
    return Section([
      .paragraph("No pod reaches \(names.abridged(to: 8)) on any port that was asked.", indent: 2)
    ])
  }

  var summary: Section {
    let tally = survey.tally
    let sent = report.comparisons.filter { $0.observed != nil }.count
    var text = "\(grouped(tally.total)) flows in \(grouped(survey.classCount)) classes: "
    text += "\(grouped(tally.allowed)) allowed, \(grouped(tally.denied)) denied"
    text += tally.unanswered > 0 ? ", \(grouped(tally.unanswered)) without an answer. " : ". "
    text += "\(grouped(sent)) packets sent in \(report.timings.probe.secondsText), for every kind of class. "
    text += "Oracle, evaluator and kernel: \(counted(report.failures.count, "disagreement"))"
    text += tally.deviating > 0 ? ". Known deviations explain \(grouped(tally.deviating)) flows." : "."
    return Section([
      .paragraph(text),
      .paragraph(
        "Built in \(report.timings.build.secondsText), rules loaded in \(report.timings.load.secondsText)."),
    ])
  }

  var grid: Section { view.section }
}
