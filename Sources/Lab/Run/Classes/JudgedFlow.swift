internal import EngineComparison
public import NetpolModel

/// One flow and what was found about it, for whoever wants to see them all.
public struct JudgedFlow: Hashable, Sendable {
  public let source, destination: Endpoint
  public let question: Flow.Question
  public let family: IPFamily
  /// Of a service with several endpoints: the one that the flow asks about.
  public let chosen: ServiceTarget?
  public let mix: WorkloadGrid.Mix
}

extension JudgedFlow {
  /// The ends are some that the comparison stands for.
  init(_ comparison: Comparison, from source: Endpoint, to destination: Endpoint) {
    let flow = comparison.flow
    self.init(
      source: source, destination: destination, question: flow.question, family: flow.family, chosen: flow.chosen,
      mix: WorkloadGrid.Mix(comparison))
  }
}
