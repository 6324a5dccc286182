internal import Algorithms
internal import Documents
internal import Enforcement
internal import EngineComparison
internal import NetpolModel
internal import OrderedCollections
internal import RuleIR
internal import Run
internal import Text

/// The answers of all endpoints of a service to one sender. For every other flow, its only answer.
struct ServiceAnswer {
  /// As the sender asks.
  let flow: Flow
  /// One for each endpoint that the service may choose.
  let comparisons: [Comparison]

  /// In the order of their first comparisons.
  static func all(_ comparisons: [Comparison]) -> [ServiceAnswer] {
    var answers: OrderedDictionary<Flow, [Comparison]> = [:]
    for comparison in comparisons {
      var flow = comparison.flow
      flow.chosen = nil
      answers[flow, default: []].append(comparison)
    }
    return answers.map { ServiceAnswer(flow: $0, comparisons: $1) }
  }

  /// What to show in full. A packet that is stopped before the service sends it to an endpoint is shown once.
  var shown: [Comparison] {
    guard comparisons.count > 1, let first = comparisons.first,
      comparisons.allSatisfy({ $0.verdict == .deny && $0.journey.translatedTo == nil && $0.finding == first.finding })
    else { return comparisons }
    return [
      Comparison(
        flow: flow, specified: first.specified, journey: first.journey, observation: first.observation,
        finding: first.finding)
    ]
  }

  private var refusals: [Comparison] { comparisons.filter { $0.answer == .deny } }
  var isMixed: Bool { symbol == .mixed }

  /// What is wrong with one endpoint counts more than what the others do.
  var symbol: Matrix.Symbol {
    let symbols = Set(comparisons.map { Matrix.Symbol($0) })
    if let only = symbols.first, symbols.count == 1 { return only }
    for symbol in [Matrix.Symbol.failure, .unknown] where symbols.contains(symbol) { return symbol }
    let verdicts = Set(comparisons.compactMap(\.answer))
    if verdicts.count == 2 { return .mixed }
    // The endpoints that are not asked may say something else.
    if symbols.contains(.notAsked) { return .notAsked }
    return [Matrix.Symbol.deniedByDeviation, .allowedByDeviation, .denied, .allowed].first(where: symbols.contains)
      ?? .noRoute
  }

  /// `1 of 3 endpoints refuses: app/web-2 (10.42.1.7:80), by app/deny`. `nil` if all say the same.
  var mixture: String? {
    guard isMixed else { return nil }
    let names = refusals.map { comparison in
      let address = comparison.flow.chosen?.description ?? ""
      let policies = comparison.refusingPolicies
      return (comparison.target.map { "\($0) (\(address))" } ?? address)
        + (policies.isEmpty ? "" : ", by \(policies.abridged(to: 3))")
    }
    let asked = comparisons.filter { $0.answer != nil }.count
    let rest = asked < comparisons.count ? " (\(comparisons.count - asked) more not asked)" : ""
    return "\(refusals.count) of \(asked) endpoints \(refusals.count == 1 ? "refuses" : "refuse")\(rest): "
      + names.joined(separator: "; ")
  }

  /// `a -> service/b TCP/80: MIXED: …`.
  var line: String? {
    mixture.map { "\(flow.source) -> \(flow.destination) (\(flow.destinationAddress)) \(flow.question): MIXED: \($0)" }
  }
}

extension Comparison {
  /// The endpoint that the service leads to.
  fileprivate var target: Endpoint? {
    for case .translated(_, let endpoint, _, _) in specified?.because ?? [] { return endpoint }
    return nil
  }

  /// The policies that refuse the flow: those that isolate an end and don't admit it, or else those of the deciding
  /// rules.
  var refusingPolicies: [String] {
    var isolating: [String] = []
    if specified?.verdict == .deny {
      for case .isolated(_, let policies) in specified?.because ?? [] { isolating += policies.map(\.description) }
    }
    if isolating.isEmpty { isolating = journey.deciding.compactMap { $0.origin?.policy?.description } }
    return Array(isolating.uniqued())
  }
}

/// The answers of a service that are mixed, in JSON.
struct MixedObject: Encodable {
  let from, to, fromAddress, toAddress, transport: String
  let port: UInt16
  let allowed, denied: [String]
  /// How many senders get these answers: `from` stands for them.
  let senders: Int

  init?(_ answer: ServiceAnswer, senders: Int = 1) {
    guard answer.isMixed else { return nil }
    let flow = answer.flow
    from = flow.source.description
    to = flow.destination.description
    fromAddress = flow.sourceAddress.description
    toAddress = flow.destinationAddress.description
    transport = flow.transport?.rawValue ?? flow.question.description
    port = flow.port ?? 0
    self.senders = senders
    let endpoints = { (verdict: Verdict) in
      answer.comparisons.filter { $0.answer == verdict }.compactMap { $0.flow.chosen?.description }
    }
    allowed = endpoints(.allow)
    denied = endpoints(.deny)
  }
}
