internal import Algorithms
internal import Documents
internal import Enforcement
internal import EngineComparison
internal import Lowering
internal import NetpolModel
internal import Run
internal import Text
internal import Verdicts

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

  /// One entry for each port and set of endpoints, whatever addresses lead to them.
  private var mixed: [Section] {
    if survey.mixed.isEmpty { return [] }
    struct Target: Hashable {
      let question: Flow.Question
      let endpoints: [String]
    }
    let byTarget = Dictionary(grouping: survey.mixed) { mixed in
      Target(
        question: mixed.comparisons[0].flow.question,
        endpoints: mixed.comparisons.compactMap { $0.flow.chosen?.description }.sorted())
    }.sorted {
      ($1.value.count, "\($0.key.question)", $0.key.endpoints.joined())
        < ($0.value.count, "\($1.key.question)", $1.key.endpoints.joined())
    }
    let entries = byTarget.prefix(Self.examples).map { target, all -> Block in
      let senders = all.reduce(0) { $0 + $1.senders }
      let places = all.map { $0.comparisons[0].flow.destination.description }.uniqued()
      let text =
        "\(Array(places).abridged(to: 2)) \(target.question): some of \(target.endpoints.count) endpoints refuse "
        + "\(counted(senders, "sender")). " + (all.max { $0.senders < $1.senders }.map(example) ?? "")
      return .paragraph(text, first: "  ", indent: 6)
    }
    return [
      Section(
        [.heading("Mixed answers of services: \(counted(byTarget.count, "set of endpoints", "sets of endpoints"))")]
          + entries + more(byTarget.count))
    ]
  }

  /// `For example shop/web-1: 3 of 4 refuse, such as pay/api-1 (10.42.1.7:80) by pay/deny.`
  private func example(_ mixed: SurveyResult.Mixed) -> String {
    let refusals = mixed.comparisons.filter { $0.evaluated == .deny }
    guard let first = refusals.first else { return "" }
    let policies = first.refusingPolicies.abridged(to: 2)
    return "For example \(first.flow.source): \(refusals.count) of \(mixed.comparisons.count) refuse, such as "
      + "\(first.flow.chosen?.description ?? "")" + (policies.isEmpty ? "." : ", by \(policies).")
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
    return found.map { (numbers: $0, found: $1) }.sorted {
      (total($1.found), $0.numbers.map(\.id).joined()) < (total($0.found), $1.numbers.map(\.id).joined())
    }.map { numbers, found in
      let title = numbers.map { "\($0.id) \($0.summary)" }.joined(separator: "; ")
      let count = total(found)
      // Flows that differ only in their nodes are told together.
      let kinds = Dictionary(grouping: found) { one in
        let flow = one.comparison.flow
        let verdict = one.comparison.evaluated == .allow ? "allowed" : "denied"
        return "\(survey.grid.name(flow.source)) -> \(survey.grid.name(flow.destination)) \(flow.question): \(verdict)"
      }.map {
        (
          text: $0, count: total($1),
          example: $1.map { "\($0.comparison.flow.source) -> \($0.comparison.flow.destination)" }.min()
        )
      }
      .sorted { ($1.count, $0.text) < ($0.count, $1.text) }
      let lines = kinds.prefix(Self.examples).map { kind -> Block in
        let many = kind.count > 1 ? " (\(grouped(kind.count)) flows like \(kind.example ?? ""))" : ""
        return .paragraph(kind.text + many, first: "  ", indent: 6)
      }
      return Section(
        [.heading("Known deviation \(title): \(count == 1 ? "1 flow" : "\(grouped(count)) flows")")] + lines
          + more(kinds.count))
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
    let chosen = report.survey?.chosenCount ?? sent
    text += "\(grouped(sent)) \(sent == 1 ? "packet" : "packets") sent in \(report.timings.probe.secondsText), "
    text +=
      report.plan.flows.count < chosen
      ? "of \(grouped(chosen)) that would show every kind of class. " : "at least one for each kind of class. "
    let ofKernel = report.comparisons.count { one in
      switch one.finding {
      case .kernelDisagrees, .undecided: true
      case .agreement, .deviation, .unexplained, .deviationMissing, .noRoute, .notChosen, .notModelled: false
      }
    }
    let disagreements = ofKernel + tally.unexplained + (report.strict ? tally.deviating : 0)
    text += "Oracle, evaluator and kernel: \(counted(disagreements, "disagreement"))"
    text += tally.deviating > 0 ? ". Known deviations explain \(grouped(tally.deviating)) flows." : "."
    return Section([
      .paragraph(text),
      .paragraph(
        "Built in \(report.timings.build.secondsText), rules loaded in \(report.timings.load.secondsText)."),
    ])
  }

  var grid: Section { view.section }
}
