package import Enforcement
package import EngineComparison
package import Lowering
package import NetpolModel
package import Path

/// A cluster and everything that a lab of it will hold: its topology and every node's rules.
package struct LabPlan: Sendable {
  package let cluster: Cluster
  package let enforced: EnforcedCluster
  package let comparer: Comparer

  package var topology: Topology { enforced.topology }

  /// `topology` is the cluster's own, unless the lab has endpoints that its objects don't describe.
  package init(_ cluster: Cluster, _ style: EnforcementStyle, versionStamp: String, in topology: Topology? = nil) throws
  {
    self.cluster = cluster
    enforced = try EnforcedCluster(cluster, topology ?? Topology(cluster), style, versionStamp: versionStamp)
    comparer = Comparer(cluster, enforced)
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
