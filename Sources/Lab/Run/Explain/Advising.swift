internal import Enforcement
internal import EngineComparison
internal import NetpolModel
internal import Oracle
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
    case .deviation(let deviations): return .hopeless(.deviation(deviations, comparison.verdict))
    case .kernelDisagrees, .unexplained, .deviationMissing, .undecided, .notChosen: return nil
    case .agreement: break
    }
    if let most = request.mostPods, cluster.pods.count > most { return .notSought(pods: cluster.pods.count) }
    let search = RemedySearch(cluster, flow, mostPriced: max(12, 2 * request.most))
    let isRefused = explained.parts.last?.refusing != nil
    // A ping that no rule admits, and that passes all the same (D5).
    if isRefused, comparison.verdict == .allow { return nil }
    if !isRefused, comparison.specified?.verdict == .deny {
      return .hopeless(.refused(comparison.specified?.because.filter(\.refusesAlone) ?? []))
    }
    if comparison.specified == nil, comparison.verdict == .deny, !isRefused { return nil }
    let found = isRefused ? search.allowing() : search.closing()
    if isRefused, found.isEmpty {
      return search.isUpToPolicies ? .hopeless(.nothingFound) : .hopeless(.refused([]))
    }
    let verdict: Verdict = isRefused ? .allow : .deny
    let alike = explained.alike
    var (checked, failed) = ([CheckedRemedy](), 0)
    for remedy in request.patchableFirst(found) where checked.count < request.most {
      let one = try check(remedy, flow, alike, pairs, request, turnsTo: verdict, on: &lab)
      // What follows from a label may undo what the change does.
      if one.specified == verdict { checked.append(one) } else { failed += 1 }
    }
    let others = found.count - checked.count - failed
    return isRefused ? .allowing(checked, others: others) : .closing(checked, others: others)
  }

  /// Makes the changes in the files, and judges and sends the flow again.
  private func check(
    _ remedy: Remedy, _ flow: Flow, _ alike: [Flow], _ pairs: PairFlows, _ request: AdviceRequest,
    turnsTo verdict: Verdict, on lab: inout ReusableLab?
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
    let oracle = whole.comparer.oracle
    return CheckedRemedy(
      remedy: remedy, files: patch?.files ?? [], after: whole.comparer.compare(flow, journey, observation),
      specified: oracle.judge(flow).verdict, unchanged: alike.filter { oracle.judge($0).verdict != verdict })
  }
}

extension AdviceRequest {
  /// Of changes with the same cost, one that the files have a place for comes first.
  fileprivate func patchableFirst(_ remedies: [Remedy]) -> [Remedy] {
    guard most == 1, let first = remedies.first else { return remedies }
    let equal = remedies.prefix { $0.cost == first.cost }
    guard let index = equal.firstIndex(where: { patch($0.edits) != nil }), index > 0 else { return remedies }
    return [remedies[index]] + remedies[..<index] + remedies[(index + 1)...]
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
