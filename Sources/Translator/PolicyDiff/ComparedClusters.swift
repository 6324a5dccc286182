public import NetpolModel

/// Two clusters whose policies are compared, completed so that both have the same pods and nodes.
///
/// Pods and nodes are the same if they have the same name. Each side judges them with its own labels, ports and
/// addresses. What only one side has is judged on both, as if the other had it too.
public struct ComparedClusters: Sendable {
  public enum Side: String, Hashable, Sendable, CaseIterable {
    case old = "OLD"
    case new = "NEW"

    public var other: Side { self == .old ? .new : .old }
  }

  public let old: Cluster
  public let new: Cluster
  /// The side that has no pods, and takes everything but its policies from the other.
  public let borrower: Side?
  /// The pods that only one side has.
  public let lonePods: [Side: [PodID]]

  /// `nil` if neither side has a pod.
  public init?(old: Cluster, new: Cluster) {
    switch (old.pods.isEmpty, new.pods.isEmpty) {
    case (true, true): return nil
    case (true, false):
      (self.old, self.new, borrower) = (new.with(policiesOf: old), new, .old)
      lonePods = [:]
    case (false, true):
      (self.old, self.new, borrower) = (old, old.with(policiesOf: new), .new)
      lonePods = [:]
    case (false, false):
      (self.old, self.new, borrower) = (old.completed(by: new), new.completed(by: old), nil)
      let (ofOld, ofNew) = (Set(old.pods.map(\.id)), Set(new.pods.map(\.id)))
      lonePods = [.old: ofOld.subtracting(ofNew).sorted(), .new: ofNew.subtracting(ofOld).sorted()].filter {
        !$0.value.isEmpty
      }
    }
  }

  public subscript(side: Side) -> Cluster { side == .old ? old : new }

  /// A side without those pods of the other side whose addresses it gives to something else. No two machines can have
  /// one address.
  public func withoutClashes(_ side: Side) -> Cluster {
    var cluster = self[side]
    let added = Set(lonePods[side.other] ?? [])
    let taken = Set(
      cluster.pods.filter { !added.contains($0.id) }.flatMap(\.podIPs) + cluster.nodes.flatMap(\.addresses)
        + cluster.externalHosts.flatMap(\.addresses) + cluster.services.flatMap(\.clusterIPs))
    cluster.pods.removeAll { pod in
      added.contains(pod.id) && !pod.hostNetwork && pod.podIPs.contains(where: taken.contains)
    }
    return cluster
  }
}

extension Cluster {
  /// This cluster with the policies of another. A namespace for which the other has labels has those.
  fileprivate func with(policiesOf other: Cluster) -> Cluster {
    var cluster = self
    cluster.policies = other.policies
    // A namespace without an object has only the label with its name.
    let labelled = other.namespaces.filter { $0.labels.count > 1 }
    let names = Set(labelled.map(\.name))
    cluster.namespaces = (namespaces.filter { !names.contains($0.name) } + labelled).sorted { $0.name < $1.name }
    cluster.add(namespacesOf: other)
    return cluster
  }

  /// This cluster with the pods, nodes and namespaces that only the other has.
  fileprivate func completed(by other: Cluster) -> Cluster {
    var cluster = self
    let ownPods = Set(pods.map(\.id))
    cluster.pods = (pods + other.pods.filter { !ownPods.contains($0.id) }).sorted { $0.id < $1.id }
    let ownNodes = Set(nodes.map(\.name))
    cluster.nodes += other.nodes.filter { !ownNodes.contains($0.name) }
    cluster.add(namespacesOf: other)
    return cluster
  }

  private mutating func add(namespacesOf other: Cluster) {
    let known = Set(namespaces.map(\.name))
    namespaces = (namespaces + other.namespaces.filter { !known.contains($0.name) }).sorted { $0.name < $1.name }
  }
}
