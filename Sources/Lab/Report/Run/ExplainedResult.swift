internal import Documents
internal import EngineComparison
internal import NetpolModel
internal import Run
internal import StandingLab

/// Results about flows that the user asked about: the verdict and its cause, with the flow's way through the policies.
struct ExplainedResult {
  private let cluster: Cluster
  private let flows: ComparisonResult

  init(_ cluster: Cluster, _ flows: ComparisonResult) {
    self.cluster = cluster
    self.flows = flows
  }

  /// One for the flow, and one if the kernel's packet met other rules than the evaluator's.
  func results(_ explained: ExplainedFlow, in group: String) -> [Document.Result] {
    let comparison = explained.comparison
    let journey = PolicyJourney(cluster, explained.parts)
    var outcome = flows.outcome(comparison)
    // A verdict is what was asked for, so it is told.
    if outcome == .passed { outcome = .found(.note) }
    let causes = CauseText(explained, cluster).lines.filter { $0.kind != .note }
    let message = ([FlowSection(comparison).headline] + causes.map { "\($0.kind.rawValue): \($0.text)" })
      .joined(separator: "; ")
    let rule = Document.Result.Rule(comparison.finding) ?? rule(comparison)
    let place = journey.place ?? flows.place(comparison)
    let own = Document.Result(
      rule, outcome, in: group, comparison.flow.resultName, message, at: place, journey: journey.steps)
    // Flows with the same answer for the same reasons are told once as text, and each for itself here.
    let alike = explained.alike.map {
      Document.Result(rule, outcome, in: group, $0.resultName, message, at: place, journey: journey.steps)
    }
    guard case .kernel(_, let differences) = explained.trace, let first = differences.first else {
      return [own] + alike
    }
    return [own] + alike + [
      Document.Result(
        .traceDiffers, .found(.error), in: group, comparison.flow.resultName, part: "trace",
        "on \(first.machine) the kernel met \(first.kernel.abridged(to: 3)), and the evaluator "
          + first.evaluator.abridged(to: 3), at: own.location)
    ]
  }

  /// By the reason that decided.
  private func rule(_ comparison: Comparison) -> Document.Result.Rule {
    let reasons = comparison.specified?.because ?? []
    let deciding = comparison.verdict == .deny ? reasons.first(where: \.refuses) ?? reasons.last : reasons.last
    if let deciding { return Document.Result.Rule(deciding.code) }
    // A ping, of which the specification says nothing.
    return Document.Result.Rule("D5", "NetworkPolicies say nothing of ICMP", page: "docs/deviations.md")
  }
}

extension Reason {
  fileprivate var refuses: Bool {
    switch self {
    case .isolated, .outOfForwardRanges, .forwardingLoop, .outOfSourceRanges, .noEndpoints, .noLocalEndpoints,
      .unservedClusterIP, .unallocatedClusterIP:
      true
    case .sameEndpoint, .ownNode, .notIsolated, .admitted, .translated, .notYetTranslated, .unserved, .localDNS,
      .forwarded, .hostNetworkPeer:
      false
    }
  }
}
