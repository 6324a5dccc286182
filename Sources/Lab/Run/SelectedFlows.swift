internal import Algorithms
internal import NetpolModel
internal import Path
internal import Verdicts

/// The flows between two ends that somebody asks about.
public struct SelectedFlows: Sendable {
  let cluster: Cluster
  let topology: Topology
  let plan: ProbePlan
  let pairs: PairFlows

  /// More are told by a grid.
  public static let mostExplained = 1000

  public var count: Int { plan.flows.count + plan.unasked.count }
  /// What they ask, each once: `TCP/80`.
  public var questions: [String] {
    (plan.flows + plan.unasked.map(\.flow)).map(\.question.description).uniqued().sorted()
  }
}
