public import NetpolModel

/// A group of an Expectations document, and the cluster of its variant.
public struct GroupToCheck: Sendable {
  public var group: Expectations.Group
  public var cluster: Cluster
  /// The cluster to compare with. `nil` if there is none.
  public var reference: Reference?

  public struct Reference: Sendable {
    /// The name of the group. `nil` for the cluster of the manifests.
    public var name: String?
    public var cluster: Cluster
    public init(name: String?, cluster: Cluster) {
      self.name = name
      self.cluster = cluster
    }
  }

  public init(_ group: Expectations.Group, cluster: Cluster, reference: Reference? = nil) {
    self.group = group
    self.cluster = cluster
    self.reference = reference
  }
}
