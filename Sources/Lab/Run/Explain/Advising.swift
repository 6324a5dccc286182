internal import Enforcement
internal import EngineComparison
internal import NetpolModel
internal import Path
internal import Remedies
internal import StandingLab
internal import Verdicts

extension ClusterRun {
  /// Adds to explained flows what would turn their verdicts. With a lab, the flows are sent again under each change.
  func advised(
    _ explained: [ExplainedFlow], _ cluster: Cluster, _ pairs: PairFlows, on lab: inout ReusableLab?
  ) throws -> [ExplainedFlow] {
    guard let advice else { return explained }
    var advised = explained
    for index in advised.indices {
      advised[index].advice = try self.advice(advised[index], cluster, pairs, advice, on: &lab)
    }
    return advised
  }

  private func advice(
    _ explained: ExplainedFlow, _ cluster: Cluster, _ pairs: PairFlows, _ request: AdviceRequest,
    on lab: inout ReusableLab?
  ) throws -> Advice? {
    let (comparison, flow) = (explained.comparison, explained.comparison.flow)
    switch comparison.finding {
    case .noRoute(let why): return .hopeless(.noRoute(why))
    case .notModelled(let why): return .hopeless(.notModelled(why))
    case .deviation(let deviations) where comparison.verdict == .deny: return .hopeless(.deviation(deviations))
    case .kernelDisagrees, .unexplained, .deviationMissing, .undecided, .notChosen: return nil
    case .agreement, .deviation: break
    }
    if let most = request.mostPods, cluster.pods.count > most { return .notSought(pods: cluster.pods.count) }
    let search = RemedySearch(cluster, flow, mostPriced: max(12, 2 * request.most))
    let isRefused = explained.parts.last?.refusing != nil
    if !isRefused, comparison.specified?.verdict == .deny {
      return .hopeless(.refused(comparison.specified?.because.filter(\.refusesAlone) ?? []))
    }
    if comparison.specified == nil, comparison.verdict == .deny, !isRefused { return nil }
    let found = isRefused ? search.allowing() : search.closing()
    if isRefused, found.isEmpty {
      return search.isUpToPolicies ? .hopeless(.nothingFound) : .hopeless(.refused([]))
    }
    let checked = try found.prefix(request.most).map { remedy in
      try check(remedy, flow, pairs, request, turnsTo: isRefused ? .allow : .deny, from: cluster, on: &lab)
    }
    let others = found.count - checked.count
    return isRefused ? .allowing(checked, others: others) : .closing(checked, others: others)
  }

  /// Makes the changes in the files, and judges and sends the flow again.
  private func check(
    _ remedy: Remedy, _ flow: Flow, _ pairs: PairFlows, _ request: AdviceRequest, turnsTo verdict: Verdict,
    from cluster: Cluster, on lab: inout ReusableLab?
  ) throws -> CheckedRemedy {
    let patch = request.patch(remedy.edits)
    // The files know what follows from labels, such as the endpoints of Services.
    let changed = patch?.cluster ?? remedy.cluster
    let topology = Topology(changed)
    let plan = ProbePlan(endpoints: [flow.source, flow.destination], flows: [flow])
    let whole = try lowered(changed, topology, for: plan, pairs)
    let journey = whole.enforced.journey(of: flow)
    var observation: Observation?
    if lab != nil, journey.end.noRoute == nil {
      try lab?.prepare(whole.holding(Machines([flow], [journey], in: whole, pairs)))
      observation = try lab?.observe([flow], patiently: Self.patience).first
    }
    return CheckedRemedy(
      remedy: remedy, files: patch?.files ?? [], after: whole.comparer.compare(flow, journey, observation))
  }
}

extension Reason {
  /// Whether it refuses a flow that no policy refuses.
  fileprivate var refusesAlone: Bool {
    switch self {
    case .outOfForwardRanges, .forwardingLoop, .outOfSourceRanges, .noEndpoints, .noLocalEndpoints, .unservedClusterIP,
      .unallocatedClusterIP:
      true
    case .sameEndpoint, .ownNode, .notIsolated, .admitted, .isolated, .translated, .notYetTranslated, .unserved,
      .hostNetworkPeer, .localDNS, .forwarded:
      false
    }
  }
}
