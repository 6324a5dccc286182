internal import Comparison
internal import Lowering
internal import NetpolModel
internal import Path

/// A cluster, and all that a lab of it will hold: its places, and every node's rules.
struct PlannedLab: Sendable {
  let cluster: Cluster
  let enforced: EnforcedCluster
  let comparer: Comparer

  var topology: Topology { enforced.topology }

  /// `topology` is the cluster's own, unless somebody is there whom its objects don't tell.
  init(_ cluster: Cluster, _ style: EnforcementStyle, versionStamp: String, in topology: Topology? = nil) throws {
    self.cluster = cluster
    enforced = try EnforcedCluster(cluster, topology ?? Topology(cluster), style, versionStamp: versionStamp)
    comparer = Comparer(cluster, enforced)
  }

  /// Whether the namespaces of the one can serve the other: only rules differ.
  func hasSameFabric(as other: PlannedLab) -> Bool {
    topology.hasSamePlaces(as: other.topology) && cluster.families == other.cluster.families
      && liftsICMPLimits == other.liftsICMPLimits
  }

  var liftsICMPLimits: Bool { cluster.settings.liftICMPLimits ?? true }
  /// Nodes, pods, external hosts, the underlay and the control host.
  var namespaceCount: Int { topology.nodes.count + topology.pods.count + topology.externals.count + 2 }
}
