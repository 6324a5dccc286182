internal import NetpolModel

/// The files that the Expectations documents of a source add to variants, relative to its folder. In a folder, such a
/// file is not a part of the cluster. Empty if the source can't be read as YAML, which its reader reports.
public func addedFiles(_ source: ManifestSource) -> [String] {
  guard source.text.contains("Expectations"), var documents = try? Documents(source.normalized()) else { return [] }
  var files: [String] = []
  while let node = try? documents.next() {
    guard let root = try? Field(node, path: "", subject: Subject(file: source.name)).fields(),
      (try? root["kind"]?.string()) == "Expectations"
    else { continue }
    for group in (try? root["groups"]?.list()) ?? [] {
      files += ((try? group.fields()["add"]?.list()) ?? []).compactMap { try? $0.string() }
    }
  }
  return files
}
