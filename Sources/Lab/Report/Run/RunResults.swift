internal import Documents
internal import EngineComparison
internal import Lowering
internal import NetpolModel
internal import OrderedCollections
internal import Run
internal import Text

/// What a run looked at: flows, expectations, and what its reader should know.
struct RunResults {
  private let report: RunReport
  private let flows: ComparisonResult
  private static let group = "Flows"
  /// With more flows, those that are as they should be are counted, and known deviations are told once each.
  private static let mostEach = 1000

  init(_ report: RunReport) {
    self.report = report
    flows = ComparisonResult(report.cluster, strict: report.strict)
  }

  var all: [Document.Result] {
    matrix + mixed + ExpectationResults(report.expectations, flows).all
      + report.styleWarnings.map { Document.Result(warning: $0, .styleWarning, in: "Style") }
      + report.warnings.map { Document.Result(warning: $0, .inputWarning, in: "Input") }
  }

  private var matrix: [Document.Result] {
    if !report.hasMatrix { return [] }
    if report.survey != nil { return bySurvey }
    if report.explained.isEmpty, report.comparisons.count > Self.mostEach { return byFinding }
    let explained = Dictionary(report.explained.map { ($0.comparison.flow, $0) }) { first, _ in first }
    let unchosen = Dictionary(report.explained.map { ($0.comparison.flow.unchosen, $0) }) { first, _ in first }
    let told = ExplainedResult(report.cluster, flows)
    let alike = Set(report.explained.flatMap(\.alike))
    return ServiceAnswer.all(report.comparisons).flatMap(\.shown).flatMap { comparison -> [Document.Result] in
      let flow = comparison.flow
      if let one = explained[flow] ?? (flow.chosen == nil ? unchosen[flow] : nil) {
        return told.results(one, in: Self.group)
      }
      // Told with the one that is explained.
      if alike.contains(flow) { return [] }
      return [flows.result(comparison, in: Self.group)]
    }
  }

  private var byFinding: [Document.Result] {
    let failures = report.failures
    let deviating = report.comparisons.filter { if case .deviation = $0.finding { true } else { false } }
    return failures.map { flows.result($0, in: Self.group) } + deviations(deviating.map { ($0, 1) })
      + [others(report.comparisons.count - failures.count - (report.strict ? 0 : deviating.count))]
  }

  private var bySurvey: [Document.Result] {
    guard let survey = report.survey else { return [] }
    let counts = Dictionary(survey.found.map { ($0.comparison.flow, $0.count) }) { first, _ in first }
    return report.failures.map { flows.result($0, in: Self.group, count: counts[$0.flow] ?? 1) }
      + deviations(survey.found.map { ($0.comparison, $0.count) })
      + [others(survey.tally.total - report.disagreementCount - (report.strict ? 0 : survey.tally.deviating))]
  }

  /// One for each set of deviations, with how many flows show it. None if each such flow is a failure of its own.
  private func deviations(_ found: [(comparison: Comparison, count: Int)]) -> [Document.Result] {
    if report.strict { return [] }
    var kinds: OrderedDictionary<[Deviation], (example: Comparison, count: Int)> = [:]
    for (comparison, count) in found {
      guard case .deviation(let deviations) = comparison.finding else { continue }
      kinds[deviations, default: (comparison, 0)].count += count
    }
    return kinds.map { flows.deviation($1.example, $0, in: Self.group, count: $1.count) }
  }

  private func others(_ count: Int) -> Document.Result {
    Document.Result(
      .asExpected, .passed, in: Self.group, "all other flows", "\(grouped(count)) flows as they should be")
  }

  /// Services some of whose endpoints refuse a client.
  private var mixed: [Document.Result] {
    let answers: [ServiceAnswer] =
      if let survey = report.survey {
        survey.mixed.flatMap { ServiceAnswer.all($0.comparisons) }
      } else {
        ServiceAnswer.all(report.comparisons)
      }
    return answers.compactMap { answer in
      answer.mixture.map { mixture in
        let refusals = answer.comparisons.filter { $0.answer == .deny }
        return Document.Result(
          .mixedAnswer, .found(.warning), in: "Services", answer.flow.resultName, mixture,
          at: refusals.lazy.compactMap(flows.place).first, journey: refusals.flatMap(flows.steps))
      }
    }
  }
}

extension Flow {
  /// Without the endpoint that a service chooses.
  fileprivate var unchosen: Flow {
    var flow = self
    flow.chosen = nil
    return flow
  }
}
