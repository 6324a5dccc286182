internal import Documents
internal import Enforcement
internal import EngineComparison
internal import Lowering
internal import NetpolModel
internal import RuleIR
internal import Run
internal import Text

/// Results about flows: what the engines found, with the lines of the policies that decided.
struct ComparisonResult {
  private let strict: Bool
  private let places: [PolicyID: SourceLocation]

  init(_ cluster: Cluster, strict: Bool) {
    self.strict = strict
    places = Dictionary(cluster.policies.compactMap { policy in policy.location.map { (policy.id, $0) } }) { first, _ in
      first
    }
  }

  /// `count`: how many flows it stands for.
  func result(_ comparison: Comparison, in group: String, count: Int = 1) -> Document.Result {
    let alike = count > 1 ? "; \(grouped(count)) flows like this" : ""
    return Document.Result(
      Document.Result.Rule(comparison.finding) ?? .asExpected, outcome(comparison), in: group,
      comparison.flow.resultName, "\(FlowSection(comparison).headline); \(specified(comparison))\(alike)",
      at: place(comparison), journey: steps(comparison))
  }

  /// A known deviation, of which the flow is an example.
  func deviation(_ comparison: Comparison, _ deviations: [Deviation], in group: String, count: Int) -> Document.Result {
    let name = deviations.map(\.id).joined(separator: "+")
    return Document.Result(
      Document.Result.Rule(
        name, deviations.map(\.summary).joined(separator: "; "), page: Document.Result.Rule.deviationPage),
      outcome(comparison), in: group, "known deviation \(name)",
      "\(deviations.map(\.summary).joined(separator: "; ")): \(count == 1 ? "1 flow" : "\(grouped(count)) flows"), such as "
        + "\(comparison.flow.resultName), \(comparison.verdict?.rawValue ?? "without a verdict"), \(specified(comparison))",
      at: place(comparison), journey: steps(comparison))
  }

  private func specified(_ comparison: Comparison) -> String {
    guard let judgement = comparison.specified else { return "of which the specification says nothing" }
    let reasons = judgement.because.map { "\($0.text) [\($0.code)]" }.joined(separator: "; ")
    return "specified \(judgement.verdict.rawValue): \(reasons)"
  }

  func outcome(_ comparison: Comparison) -> Document.Result.Outcome {
    switch comparison.finding {
    case .agreement: .passed
    case .deviation, .kernelDisagrees, .unexplained, .deviationMissing, .undecided:
      .found(comparison.isFailure(strict: strict) ? .error : .note)
    case .noRoute, .notChosen, .notModelled: .skipped(FlowSection(comparison).headline)
    }
  }

  /// What the specification says of policies, then the rules that decided, as far as they come from a line of the input.
  func steps(_ comparison: Comparison) -> [Document.Result.Step] {
    let reasons = (comparison.specified?.because ?? []).flatMap { reason in
      policies(reason).compactMap { policy in
        places[policy].map { Document.Result.Step($0, "\(reason.text) [\(reason.code)]") }
      }
    }
    return reasons + deciding(comparison)
  }

  private func deciding(_ comparison: Comparison) -> [Document.Result.Step] {
    comparison.journey.deciding.compactMap { rule in
      let place = rule.origin?.location ?? rule.origin?.policy.flatMap { places[$0] }
      return place.map {
        Document.Result.Step($0, "\(rule.machine) \(rule.chain) #\(rule.number): \(rule.text)")
      }
    }
  }

  /// The last deciding rule's line, or else that of the first policy that the specification names.
  func place(_ comparison: Comparison) -> SourceLocation? {
    deciding(comparison).last?.location
      ?? comparison.specified?.because.lazy.flatMap(policies).compactMap { places[$0] }.first
  }

  private func policies(_ reason: Reason) -> [PolicyID] {
    switch reason {
    case .admitted(_, let policy, _, _): [policy]
    case .isolated(_, let policies): policies
    case .sameEndpoint, .ownNode, .notIsolated, .translated, .notYetTranslated, .unserved, .localDNS, .forwarded,
      .outOfForwardRanges, .forwardingLoop, .hostNetworkPeer, .outOfSourceRanges, .noEndpoints, .noLocalEndpoints,
      .unservedClusterIP, .unallocatedClusterIP:
      []
    }
  }
}

extension Flow {
  /// Without addresses, which change when pods are made anew: `shop/web -> shop/db TCP/80`.
  var resultName: String {
    "\(source) -> \(destination) \(question)\(family == .v6 ? " \(family.rawValue)" : "")"
      + (chosen.map { " by \($0.description)" } ?? "")
  }
}
