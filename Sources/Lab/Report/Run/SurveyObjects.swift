internal import EngineComparison
public import Foundation
internal import NetpolModel
public import Run

/// All flows of a run by class, in JSON.
struct SurveyObject: Encodable {
  let flows, allowed, denied, deviating, unexplained, unanswered, classes, packets: Int
  let found: [FoundObject]
  let evaluatorOnly: [UnsentObject]

  init(_ survey: SurveyResult, _ comparisons: [Comparison], _ unsent: [UnsentPackets], strict: Bool) {
    evaluatorOnly = unsent.map(UnsentObject.init)
    flows = survey.tally.total
    allowed = survey.tally.allowed
    denied = survey.tally.denied
    deviating = survey.tally.deviating
    unexplained = survey.tally.unexplained
    unanswered = survey.tally.unanswered
    classes = survey.classCount
    packets = comparisons.count { $0.observed != nil }
    found = survey.found.map { one in
      FoundObject(
        from: survey.grid.name(one.comparison.flow.source), to: survey.grid.name(one.comparison.flow.destination),
        count: one.count,
        example: FlowObject(one.comparison, strict: strict, inFull: false, withPath: false))
    }
  }
}

/// Packets that only the evaluator judged, in JSON.
struct UnsentObject: Encodable {
  let packets: String
  let passed, dropped: Int

  init(_ one: UnsentPackets) {
    packets = one.kind.rawValue
    passed = one.passed
    dropped = one.dropped
  }
}

struct FoundObject: Encodable {
  let from, to: String
  let count: Int
  let example: FlowObject
}

/// Flows of which the same is the case, in JSON.
struct ClassObject: Encodable {
  let from, to, ports: [String]
  let verdict: String
  let deviates, disagrees: Bool

  init(_ one: FlowClass, _ grid: WorkloadGrid, strict: Bool) {
    from = one.senders.map { grid.workloads[$0].name }
    to = one.receivers.map { grid.workloads[$0].name }
    ports = one.questions.map(\.description)
    verdict = one.mix.verdictText
    deviates = one.mix.contains(.deviating)
    disagrees = one.mix.contains(.failing) || strict && deviates
  }
}

extension WorkloadGrid.Mix {
  /// `mixed` if only some of the flows are allowed.
  var verdictText: String {
    switch (contains(.allowed), contains(.denied)) {
    case (true, true): "mixed"
    case (true, false): "allowed"
    case (false, true): "denied"
    case (false, false): "none"
    }
  }
}

/// One line of `--flows`.
struct JudgedFlowObject: Encodable {
  let from, to, port, family: String
  let endpoint: String?
  let verdict: String
  let deviates, disagrees: Bool

  init(_ flow: JudgedFlow, strict: Bool) {
    from = flow.source.description
    to = flow.destination.description
    port = flow.question.description
    family = flow.family.rawValue
    endpoint = flow.chosen?.description
    verdict = flow.mix.verdictText
    deviates = flow.mix.contains(.deviating)
    disagrees = flow.mix.contains(.failing) || strict && deviates
  }
}

extension JudgedFlow {
  /// One JSON object and a line feed, in UTF-8. `strict`: whether known deviations are failures.
  public func line(strict: Bool) -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return ((try? encoder.encode(JudgedFlowObject(self, strict: strict))) ?? Data()) + Data([0x0a])
  }
}
