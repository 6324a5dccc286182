internal import Enforcement
internal import EngineComparison
internal import Lowering
public import NetpolModel
internal import Oracle
internal import Path
internal import ServiceProxy
internal import StandingLab
internal import Verdicts

extension ClusterRun {
  /// Explains the selected flows without a packet: oracle and evaluator alone. `why` says why no packet is sent. Throws
  /// `NothingToAsk` if the selection matches no flow.
  public func explain(_ cluster: Cluster, withoutPackets why: ExplainedFlow.Untraced, version: String) throws
    -> RunReport
  {
    let clock = ContinuousClock()
    let begin = clock.now
    let topology = Topology(cluster)
    let plan = ProbePlan(cluster, topology, only: selection, sctpObstacle: nil)
    if plan.isEmpty { throw nothingToAsk(in: cluster, topology) }
    let whole = try lowered(cluster, topology, for: plan, PairFlows(cluster, topology))
    let comparisons =
      plan.flows.map { whole.comparer.compare($0, nil) }.filter { $0.finding != .notChosen }
      + plan.unasked.map { whole.comparer.compare($0) }
    let explained = comparisons.map { whole.explained($0, untraced: why) }
    return RunReport(
      environment: LabEnvironment(withoutLab: version, style: style.name), cluster: cluster, plan: plan,
      comparisons: comparisons,
      styleWarnings: whole.enforced.findings.map(\.description) + whole.enforced.serviceFindings.map(\.description),
      explained: explained, notInLab: topology.unplaced, strict: strict,
      timings: RunReport.Timings(build: .zero, load: clock.now - begin, probe: .zero))
  }
}

extension LabPlan {
  /// The codes of a comparison, and of what the policies say that refuse it.
  func codes(of comparison: Comparison) -> Set<Code> {
    Set(comparison.codes).union(comparer.oracle.explain(comparison.flow).flatMap(\.codes))
  }

  /// Explains compared flows. Packets that were sent are sent once more, and traced.
  func explained(_ comparisons: [Comparison], on lab: inout ReusableLab) throws -> [ExplainedFlow] {
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
