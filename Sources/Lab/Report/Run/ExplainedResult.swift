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
    let alike = explained.alike.isEmpty ? [] : ["\(explained.alike.count) more flows with the same answer"]
    let own = Document.Result(
      Document.Result.Rule(comparison.finding) ?? rule(comparison), outcome, in: group, comparison.flow.resultName,
      ([FlowSection(comparison).headline] + causes.map { "\($0.kind.rawValue): \($0.text)" } + alike)
        .joined(separator: "; "),
      at: journey.place ?? flows.place(comparison), journey: journey.steps)
    guard case .kernel(_, let differences) = explained.trace, let first = differences.first else { return [own] }
    return [
      own,
      Document.Result(
        .traceDiffers, .found(.error), in: group, comparison.flow.resultName, part: "trace",
        "on \(first.machine) the kernel met \(first.kernel.abridged(to: 3)), and the evaluator "
          + first.evaluator.abridged(to: 3), at: own.location),
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
