internal import Enforcement
internal import EngineComparison
internal import Lowering
internal import NetpolModel
internal import Oracle
internal import Path
internal import ServiceProxy
internal import StandingLab
internal import Verdicts

extension ClusterRun {
  /// Explains flows without a packet: oracle and evaluator alone. `why` says why no packet is sent.
  public func explain(_ selected: SelectedFlows, withoutPackets why: ExplainedFlow.Untraced, version: String) throws
    -> RunReport
  {
    let clock = ContinuousClock()
    let begin = clock.now
    let (cluster, topology, plan) = (selected.cluster, selected.topology, selected.plan)
    let whole = try lowered(cluster, topology, for: plan, selected.pairs)
    let comparisons =
      plan.flows.map { whole.comparer.compare($0, nil) }.filter { $0.finding != .notChosen }
      + plan.unasked.map { whole.comparer.compare($0) }
    var explained = kinds(of: comparisons, whole).map { kind in
      var explained = whole.explained(kind.first, untraced: why)
      explained.alike = kind.others
      return explained
    }
    var none: ReusableLab?
    explained = try advised(explained, cluster, selected.pairs, on: &none)
    var report = RunReport(
      environment: LabEnvironment(withoutLab: version, style: style.name), cluster: cluster, plan: plan,
      comparisons: comparisons,
      styleWarnings: whole.enforced.findings.map(\.description) + whole.enforced.serviceFindings.map(\.description),
      explained: explained, notInLab: topology.unplaced, strict: strict,
      timings: RunReport.Timings(build: .zero, load: clock.now - begin, probe: .zero))
    report.together = advice?.together(explained, cluster)
    return report
  }
}

extension ClusterRun {
  /// The kinds of answers, the refused ones first. Of many the last are left out.
  func kinds(of comparisons: [Comparison], _ plan: LabPlan) -> [AlikeFlows] {
    let kinds = AlikeFlows.groups(comparisons, plan.comparer.oracle)
    let isRefused = { (kind: AlikeFlows) in kind.first.verdict != .allow }
    return Array((kinds.filter(isRefused) + kinds.filter { !isRefused($0) }).prefix(RunReport.mostInFull))
  }
}

extension LabPlan {
  /// The codes of a comparison, and of what the policies say that refuse it.
  func codes(of comparison: Comparison) -> Set<Code> {
    Set(comparison.codes).union(comparer.oracle.explain(comparison.flow).flatMap(\.codes))
  }

  /// Explains compared flows. Packets that were sent are sent once more, and traced.
  func explained(_ comparisons: [Comparison], on lab: inout ReusableLab) throws -> [ExplainedFlow] {
    if comparisons.isEmpty { return [] }
    let sent = comparisons.map(\.flow).filter { !$0.destinationAddress.isMulticast }
    let asked = Set(comparisons.filter { $0.observation != nil }.map(\.flow)).intersection(sent)
    let flows = sent.filter(asked.contains)
    let traced = Dictionary(zip(flows, try lab.trace(flows))) { first, _ in first }
    return comparisons.map { comparison in
      guard let found = traced[comparison.flow] else {
        return explained(comparison, untraced: comparison.observation == nil ? .notSent : .group)
      }
      return ExplainedFlow(
        comparison: comparison, parts: comparer.oracle.explain(comparison.flow), record: found.record,
        trace: found.trace.isIncomplete ? .none(.busy) : .kernel(found.trace, differences: found.differences))
    }
  }

  func explained(_ comparison: Comparison, untraced why: ExplainedFlow.Untraced) -> ExplainedFlow {
    ExplainedFlow(
      comparison: comparison, parts: comparer.oracle.explain(comparison.flow),
      record: enforced.record(of: comparison.flow), trace: .none(why))
  }
}
