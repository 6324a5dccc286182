public import NetpolModel

/// The contents of the manifests, with all defaults applied.
public struct ManifestReading: Hashable, Sendable {
  public var cluster: Cluster
  public var notes: [Note]
  /// The number of objects in the input, including skipped ones. The items of a List count, the List itself does not.
  public var objectCount: Int
  /// The groups of all Expectations documents, in input order.
  public var expectations: [Expectations.Group]
  /// Whether service CIDRs are only implied by the ClusterIPs, so that the cluster's own may be wider.
  public internal(set) var impliesServiceCIDRs = false
  /// The sources, kept to read variants.
  var sources: [ManifestSource] = []
  var options = ReadOptions()
  /// The names used in each group, by group name.
  var names: [String: [NameUse]] = [:]

  public init(cluster: Cluster, notes: [Note], objectCount: Int, expectations: [Expectations.Group] = []) {
    self.cluster = cluster
    self.notes = notes
    self.objectCount = objectCount
    self.expectations = expectations
  }
}
