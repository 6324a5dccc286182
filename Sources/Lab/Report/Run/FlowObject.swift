internal import Enforcement
internal import EngineComparison
internal import Lowering
internal import NetpolModel
internal import RuleIR

/// A flow in JSON. `nil` values are left out.
struct FlowObject: Encodable {
  let from, to, fromAddress, toAddress, transport: String
  /// Of a service with several, as `address:port`.
  let endpoint: String?
  let port: UInt16
  let oracle: String?
  let evaluator: String?
  let kernel: String?
  let mechanism: String?
  let result: String
  let deviations: [String]?
  /// Of the reasons, and of why the flow was not asked.
  let codes: [String]?
  let why: String?
  let failure: Bool
  let because: [String]?
  let rules: [RuleObject]?
  let path: [PathObject]?

  /// `inFull` includes reasons and rules even if the flow is as it should be. For many flows they would be most of the
  /// document, and nobody needs them.
  init(
    _ comparison: Comparison, strict: Bool, inFull: Bool, withPath: Bool
  ) {
    let flow = comparison.flow
    from = flow.source.description
    to = flow.destination.description
    fromAddress = flow.sourceAddress.description
    toAddress = flow.destinationAddress.description
    transport = flow.transport?.rawValue ?? flow.question.description
    endpoint = flow.chosen?.description
    port = flow.port ?? 0
    oracle = comparison.specified?.verdict.rawValue
    evaluator = comparison.evaluated?.rawValue
    kernel = comparison.observed?.rawValue
    mechanism = comparison.observation.map { _ in comparison.outcome.rawValue }
    failure = comparison.isFailure(strict: strict)
    (result, deviations, why) =
      switch comparison.finding {
      case .agreement: ("agreement", nil, nil)
      case .deviation(let numbers): ("deviation", numbers.map(\.id), nil)
      case .kernelDisagrees: ("kernelDisagrees", nil, nil)
      case .unexplained: ("unexplained", nil, nil)
      case .deviationMissing(let numbers): ("deviationMissing", numbers.map(\.id), nil)
      case .undecided(let why): ("undecided", nil, why)
      case .noRoute(let why): ("noRoute", nil, "\(why)")
      case .notChosen: ("notChosen", nil, nil)
      case .notModelled(let why): ("notModelled", nil, "\(why)")
      }
    let isAsItShould =
      switch comparison.finding {
      case .agreement, .noRoute, .notChosen, .notModelled: true
      case .deviation, .kernelDisagrees, .unexplained, .deviationMissing, .undecided: false
      }
    let isTold = inFull || !isAsItShould
    codes = isTold || why != nil ? comparison.codes.map(\.rawValue) : nil
    because = isTold ? comparison.specified?.because.map(\.text) : nil
    rules = isTold ? comparison.journey.deciding.map(RuleObject.init) : nil
    path = isTold || withPath ? comparison.journey.steps.map(PathObject.init) : nil
  }
}

/// A rule that decided a flow.
struct RuleObject: Encodable {
  let node, chain: String
  let number: Int
  let policy: String?
  let direction: String?
  let rule: Int?
  let location: String?
  let text: String

  init(_ deciding: DecidingRule) {
    node = deciding.machine
    chain = deciding.chain
    number = deciding.number
    policy = deciding.origin?.policy?.description
    direction = deciding.origin?.direction?.keyword
    rule = deciding.origin?.rule
    location = deciding.origin?.location?.description
    text = deciding.text
  }
}
