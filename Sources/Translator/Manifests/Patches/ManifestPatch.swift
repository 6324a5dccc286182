public import NetpolModel

/// Manifests with changes, each in its own place of the files.
public struct ManifestPatch: Sendable {
  /// The files that differ, in their order.
  public let files: [FileChange]
  /// The changed files, read.
  public let reading: ManifestReading
}

extension ManifestReading {
  /// The files with these changes. `nil` if the way they are written leaves no place for one, or if the changed files
  /// would not mean exactly what the changes say.
  public func patch(_ edits: [UnitEdit]) -> ManifestPatch? {
    var changed = SourceEdits(sources, cluster)
    for edit in edits where !changed.apply(edit) { return nil }
    guard let reading = try? readManifests(changed.sources, options: options) else { return nil }
    let expected = cluster.applying(edits)
    let labels = { (cluster: Cluster) in
      (cluster.pods.map { [$0.id.description: $0.labels] }, cluster.namespaces.map { [$0.name: $0.labels] })
    }
    guard reading.cluster.policies.map(\.unlocated) == expected.policies.map(\.unlocated),
      labels(reading.cluster) == labels(expected)
    else { return nil }
    let files = zip(sources, changed.sources).filter { $0.text != $1.text }.map {
      FileChange(name: $0.name, before: $0.text, after: $1.text)
    }
    return ManifestPatch(files: files, reading: reading)
  }
}
