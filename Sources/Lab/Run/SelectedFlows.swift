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

extension ProbePlan.Selection {
  /// The addresses of its ends. `nil` if it does not name both.
  func addresses(in cluster: Cluster, _ topology: Topology) -> [IPAddress]? {
    guard let sources, let destinations else { return nil }
    return (sources + destinations).flatMap { end -> [IPAddress] in
      switch end {
      case .pod(let id): topology.pods[id]?.addresses.map(\.address) ?? topology.hostNode(of: end)?.addresses ?? []
      case .node(let name): topology.node(name).map { Array($0.localAddresses) } ?? []
      case .service(let id): cluster.service(id).map { $0.clusterIPs + $0.announcedAddresses } ?? []
      case .virtualAddress(_, let address), .address(let address): [address]
      case .external(let name): cluster.externalHost(name)?.addresses ?? []
      }
    } + [sourceAddress, destinationAddress].compactMap(\.self)
  }
}
