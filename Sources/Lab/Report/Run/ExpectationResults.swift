internal import Documents
internal import EngineComparison
internal import NetpolModel
internal import Run

/// A test suite for each group of expectations.
struct ExpectationResults {
  private let groups: [GroupResult]
  private let flows: ComparisonResult

  init(_ groups: [GroupResult], _ flows: ComparisonResult) {
    self.groups = groups
    self.flows = flows
  }

  /// One for each expected flow, then one for each flow on which the engines disagree.
  var all: [Document.Result] {
    groups.flatMap { group in
      let name = "Expectations: \(group.title)"
      return group.flows.map { result($0, in: name) } + group.failures.map { flows.result($0.comparison, in: name) }
    }
  }

  private func result(_ flow: FlowResult, in group: String) -> Document.Result {
    let expected = flow.expected
    let detail = (expected.group.map { " in \($0)" } ?? "") + (expected.endpoint.map { " by \($0)" } ?? "")
    let family = expected.family.map { " \($0.rawValue)" } ?? ""
    let reason = expected.because.map { "; because \($0)" } ?? ""
    return Document.Result(
      .expectation, outcome(flow), in: group,
      "\(expected.from) -> \(expected.to)\(detail) \(expected.question)\(family)",
      identity: group, "expected \(expected.wanted), \(flow.happened)\(missed(flow))\(reason)", at: expected.location,
      journey: flow.state == .missed ? journey(flow) : [])
  }

  private func outcome(_ flow: FlowResult) -> Document.Result.Outcome {
    switch flow.state {
    case .met: .passed
    case .missed: .found(.error)
    case .notAsked: .skipped(Set(flow.pairs.compactMap(\.whyNot)).sorted().joined(separator: "; "))
    }
  }

  /// What happened to some of the pairs that missed it.
  private func missed(_ flow: FlowResult) -> String {
    let pairs = flow.pairs.filter { $0.state == .missed }.prefix(3).map { pair in
      "; \(pair.from) -> \(pair.to): "
        + (pair.whyNot.map { "not asked: \($0)" } ?? pair.answer.map(\.outcomeText) ?? "no packet was sent")
    }
    return flow.state == .missed ? pairs.joined() : ""
  }

  /// The expectation's line, then those of the policies that decided.
  private func journey(_ flow: FlowResult) -> [Document.Result.Step] {
    let own = flow.expected.location.map { Document.Result.Step($0, "expected \(flow.expected.wanted)") }
    let pairs = flow.pairs.filter { $0.state == .missed }.compactMap(\.answer?.comparison)
    let deciding = pairs.flatMap(flows.steps)
    return deciding.isEmpty ? [] : [own].compactMap(\.self) + deciding
  }
}
