package import Enforcement
package import EngineComparison
package import Lowering
package import NetpolModel
internal import Oracle
package import Path
package import ServiceProxy

/// A cluster and everything that a lab of it will hold: its topology and every node's rules.
package struct LabPlan: Sendable {
  package let cluster: Cluster
  package private(set) var enforced: EnforcedCluster
  package let comparer: Comparer

  /// What the lab builds: all places of the cluster, or some of them.
  package private(set) var topology: Topology

  /// `topology` is the cluster's own, unless the lab has endpoints that its objects don't describe.
  /// `choice`: how a Service's rules choose one of several endpoints.
  /// With `nodes`, only these have rules. `part`: the cluster without services and policies whose rules no packet of the lab meets.
  package init(
    _ cluster: Cluster, _ style: EnforcementStyle, versionStamp: String, in topology: Topology? = nil,
    rulesOf part: Cluster? = nil, onNodes nodes: Set<String>? = nil,
    choosingEndpoints choice: ProxyView.EndpointChoice = .byCodePoint
  ) throws {
    self.cluster = cluster
    let topology = topology ?? Topology(cluster)
    self.topology = topology
    let reading = InAdvance { DeviationModel(cluster, Oracle(cluster), style.traits) }
    enforced = try EnforcedCluster(
      part ?? cluster, topology, style, onNodes: nodes, choosingEndpoints: choice, versionStamp: versionStamp)
    comparer = Comparer(enforced, reading.value)
  }

  /// The same with a lab that holds only some nodes and pods. The rules still are those of the whole cluster, but for
  /// those that no packet can meet.
  package func holding(nodes: Set<String>, pods: Set<PodID>) -> LabPlan {
    var plan = self
    plan.topology = topology.holding(nodes: nodes, pods: pods)
    plan.enforced = enforced.reachable(onNodes: nodes)
    return plan
  }

  /// Whether the two plans can share namespaces: only their rules differ.
  package func hasSameFabric(as other: LabPlan) -> Bool {
    topology.hasSamePlaces(as: other.topology) && cluster.families == other.cluster.families
      && liftsICMPLimits == other.liftsICMPLimits
  }

  package var liftsICMPLimits: Bool { cluster.settings.liftICMPLimits ?? true }
  /// Counts nodes, pods, external hosts, the underlay and the control host.
  package var namespaceCount: Int { topology.nodes.count + topology.pods.count + topology.externals.count + 2 }
}
