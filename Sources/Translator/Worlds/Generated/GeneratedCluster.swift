internal import Algorithms
public import NetpolModel
internal import Statistics

/// A cluster of a given size, shaped like a real one, as the text that `kubectl get -o yaml` prints. The same numbers
/// give the same text on every machine.
///
/// Unlike a `World`, which has few objects full of edge cases, it has what teams usually have: applications of several
/// tiers, their Services and EndpointSlices, and policies between them.
public struct GeneratedCluster: Sendable {
  public static let podRange = 1...20_000
  public static let policyRange = 0...5000
  public static let nodeRange = 1...500

  private let plan: ClusterPlan
  private let policies: [NetworkPolicy]
  private let seed: UInt64

  /// Numbers outside of their range count as the nearest in it. `families`: the first is that of `podIP`.
  public init(pods: Int, policies: Int, nodes: Int, families: [IPFamily] = [.v4], seed: UInt64) {
    plan = ClusterPlan(
      pods: Self.podRange.nearest(to: pods), nodes: Self.nodeRange.nearest(to: nodes), families: families, seed: seed)
    self.policies =
      PolicyPlan(
        Self.policyRange.nearest(to: policies), for: plan.namespaces, families: families, seed: seed
      ).policies
    self.seed = seed
  }

  /// The whole text. A pod has about 6 kB.
  public var text: String {
    var text = ""
    for piece in pieces { text += piece }
    return text
  }

  /// The text in pieces of some kB: one `List` for each kind, with `---` between them. A piece is made when it is asked
  /// for.
  public var pieces: some Sequence<String> {
    lists.enumerated().lazy.flatMap { number, objects in
      chain(
        ["\(number == 0 ? "" : "---\n")apiVersion: v1\nitems:\n"],
        chain(objects.lazy.map { $0.asItem + "\n" }, ["kind: List\nmetadata:\n  resourceVersion: \"\"\n"]))
    }
  }

  /// The objects of each kind. A kind without objects has no list.
  private var lists: [AnySequence<String>] {
    let (plan, networks, count) = (plan, plan.networks, plan.nodes.count)
    let services = workloads.map { ServiceObjects(workload: $0, networks: networks, nodes: count) }
    let jobs = workloads.filter { $0.kind == .cronJob }
    var lists = [
      AnySequence(plan.nodes.lazy.map { $0.text(networks) }),
      AnySequence(plan.namespaces.enumerated().lazy.map { $1.text(identity(1, $0)) }),
      AnySequence(
        workloads.lazy.flatMap { workload in
          let objects = PodObjects(workload, networks)
          return workload.pods.lazy.map(objects.text)
        }),
      AnySequence(chain([APIServerObjects.service(plan, identity(2, 0))], services.lazy.flatMap(\.services))),
      AnySequence(chain([APIServerObjects.slice(plan, identity(2, 1))], services.lazy.flatMap(\.slices))),
    ]
    if !jobs.isEmpty { lists.append(AnySequence(jobs.lazy.flatMap { JobObjects(workload: $0).texts })) }
    if policies.isEmpty { return lists }
    return lists + [AnySequence(policies.enumerated().lazy.map { $1.text(identity(3, $0)) })]
  }

  private var workloads: [PlannedWorkload] { plan.namespaces.flatMap(\.workloads) }

  private func identity(_ kind: Int, _ number: Int) -> Identity { Identity(seed).part(kind * 1_000_000 + number) }
}

extension ClosedRange where Bound == Int {
  fileprivate func nearest(to number: Int) -> Int { Swift.min(Swift.max(number, lowerBound), upperBound) }
}
