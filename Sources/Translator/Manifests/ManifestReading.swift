public import NetpolModel

/// What the manifests say, with every default applied.
public struct ManifestReading: Hashable, Sendable {
  public var cluster: Cluster
  public var notes: [Note]
  /// Objects in the input, those that were skipped included; the items of a List count, the List doesn't.
  public var objectCount: Int
  /// The groups of all Expectations documents, in the order of the input.
  public var expectations: [Expectations.Group]
  /// What variants are read from.
  var sources: [ManifestSource] = []
  var options = ReadOptions()
  /// The names that each group uses, by the group's own.
  var names: [String: [NameUse]] = [:]

  public init(cluster: Cluster, notes: [Note], objectCount: Int, expectations: [Expectations.Group] = []) {
    self.cluster = cluster
    self.notes = notes
    self.objectCount = objectCount
    self.expectations = expectations
  }
}
