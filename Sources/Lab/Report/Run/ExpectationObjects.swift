internal import Enforcement
internal import EngineComparison
internal import Lowering
internal import NetpolModel
internal import Run

/// A group of expectations in JSON. `nil` values are left out.
struct GroupObject: Encodable {
  let name: String
  let claim, says, variant, document: String?
  let met, missed, notAsked, disagreements: Int
  let asExpected: Bool
  let flows: [ExpectedFlowObject]
  let difference: DifferenceObject?

  init(_ result: GroupResult) {
    name = result.group.name
    claim = result.group.claim
    says = result.group.says
    variant = result.group.variant?.text
    document = result.document?.rawValue
    met = result.metCount
    missed = result.missed.count
    notAsked = result.flows.count - result.askedCount
    disagreements = result.failures.count
    asExpected = result.isAsExpected
    flows = result.flows.map(ExpectedFlowObject.init)
    difference = result.difference.map(DifferenceObject.init)
  }
}

struct ExpectedFlowObject: Encodable {
  let from, to, port, expect, result: String
  let group, endpoint, mechanism, claimed, document, because, family, location: String?
  let pairs: [PairObject]

  init(_ flow: FlowResult) {
    let expected = flow.expected
    from = expected.from.description
    to = expected.to.description
    port = expected.question.description
    group = expected.group?.description
    endpoint = expected.endpoint?.description
    expect = expected.expect.rawValue
    mechanism = expected.mechanism?.rawValue
    claimed = expected.document?.rawValue
    document = flow.document?.rawValue
    because = expected.because
    family = expected.family?.rawValue
    location = expected.location?.description
    result = flow.state.rawValue
    pairs = flow.pairs.map(PairObject.init)
  }
}

struct PairObject: Encodable {
  let from, to, result: String
  let fromAddress, toAddress, endpoint, packets, why, oracle, evaluator: String?
  let deviations, codes: [String]?
  let rules: [RuleObject]?

  init(_ pair: PairResult) {
    from = pair.from.description
    to = pair.to.description
    result = pair.state.rawValue
    fromAddress = pair.answer?.flow.sourceAddress.description
    toAddress = pair.answer?.flow.destinationAddress.description
    endpoint = pair.answer?.flow.chosen?.description
    packets = pair.answer?.outcome.rawValue
    why = pair.answer?.why ?? pair.whyNot
    oracle = pair.answer?.comparison.specified?.verdict.rawValue
    evaluator = pair.answer?.comparison.evaluated?.rawValue
    let numbers = pair.answer?.deviations.map(\.id) ?? []
    deviations = numbers.isEmpty ? nil : numbers
    codes = pair.answer?.codes.map(\.rawValue).sorted()
    rules = pair.answer?.comparison.journey.deciding.map(RuleObject.init)
  }
}

struct DifferenceObject: Encodable {
  let reference: String?
  let compared, opened, closed, withoutPackets: Int
  let changes: [ChangeObject]

  init(_ difference: Difference) {
    reference = difference.reference
    compared = difference.compared
    opened = difference.opened.count
    closed = difference.closed.count
    withoutPackets = difference.unasked
    changes = difference.changes.map(ChangeObject.init)
  }
}

struct ChangeObject: Encodable {
  let from, to, fromAddress, toAddress, transport, before, after: String
  let port: UInt16
  let packetsBefore, packetsAfter: String?

  init(_ change: Difference.Change) {
    from = change.flow.source.description
    to = change.flow.destination.description
    fromAddress = change.flow.sourceAddress.description
    toAddress = change.flow.destinationAddress.description
    transport = change.flow.transport?.rawValue ?? change.flow.question.description
    port = change.flow.port ?? 0
    before = change.before.rawValue
    after = change.after.rawValue
    packetsBefore = change.answerBefore?.outcome.rawValue
    packetsAfter = change.answerAfter?.outcome.rawValue
  }
}

struct ClaimObject: Encodable {
  let claim: String
  let document: String?
  let met, asked, notAsked: Int

  init(_ result: ClaimResult) {
    claim = result.claim
    document = result.document?.rawValue
    met = result.met
    asked = result.asked
    notAsked = result.notAsked
  }
}
