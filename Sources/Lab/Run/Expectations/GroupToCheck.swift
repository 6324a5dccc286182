public import NetpolModel

/// A group of an Expectations document, with the cluster that its variant makes.
public struct GroupToCheck: Sendable {
  public var group: Expectations.Group
  public var cluster: Cluster
  /// What the cluster is compared with; nil where it is no other.
  public var reference: Reference?

  public struct Reference: Sendable {
    /// Of a group; nil for the manifests' own cluster.
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
