public import NetpolModel

extension ManifestReading {
  /// The cluster of a group: the cluster of the manifests with the group's variant applied. Objects that the variant
  /// doesn't change keep their nodes and addresses. `addedSources` reads a file of `add`, given its path from the
  /// working directory.
  public func cluster(of group: Expectations.Group, addedSources: (String) throws -> ManifestSource)
    throws(ManifestError) -> Cluster
  {
    try reading(of: group, addedSources: addedSources).cluster
  }

  /// Like `cluster(of:addedSources:)`, but also returns the notes that the variant adds. The groups are unchanged.
  public func reading(of group: Expectations.Group, addedSources: (String) throws -> ManifestSource)
    throws(ManifestError) -> ManifestReading
  {
    guard let variant = group.variant else { return self }
    let names = names[group.name] ?? []
    var inventory = Inventory(options)
    for source in sources { try inventory.add(source) }
    inventory.beginAdding()
    for file in variant.add {
      let use = names.first { $0.name == .file(file) }
      let path = file.path(from: group.location?.file)
      let source: ManifestSource
      do { source = try addedSources(path) } catch {
        throw use?.error("\(path) can't be read: \(error)", nil)
          ?? ManifestError(location: group.location, problem: "\(path) can't be read: \(error)")
      }
      try inventory.add(source)
    }
    var assembly = try Assembly(inventory, keeping: Pins(cluster))
    let known = ClusterNames(assembly.cluster)
    for use in names { try use.check(in: known) }
    assembly.apply(variant)
    assembly.addEndpointSlices()
    var reading = self
    reading.cluster = assembly.cluster
    reading.notes = assembly.notes.filter { !notes.contains($0) }
    reading.objectCount = inventory.objectCount
    return reading
  }
}

extension String {
  /// Turns a path relative to the folder of `file` into a path from the working directory.
  fileprivate func path(from file: String?) -> String {
    guard !hasPrefix("/"), let file, let slash = file.lastIndex(of: "/") else { return self }
    return file[...slash] + self
  }
}
