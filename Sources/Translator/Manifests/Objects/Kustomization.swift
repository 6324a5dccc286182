internal import NetpolModel

extension ManifestObject {
  var isKustomization: Bool { group == "kustomize.config.k8s.io" }

  var kustomizationError: ManifestError {
    let file = root.mapping.subject.file
    let folder = file.contains("/") ? String(file[..<(file.lastIndex(of: "/") ?? file.startIndex)]) : "."
    let place = file == "-" ? "FOLDER" : folder.isEmpty ? "/" : folder
    return root.mapping.error("is for kustomize, not for an API server", ForeignFile.kustomization(place).remedy)
  }
}

/// The files that a kustomization uses without applying them: patches, values, and settings for kustomize. Paths are
/// relative to its folder. Empty if the source can't be read as YAML.
public func kustomizationParts(_ source: ManifestSource) -> [String] {
  guard var documents = try? Documents(source.normalized()), let node = try? documents.next(),
    let root = try? Field(node, path: "", subject: Subject(file: source.name)).fields()
  else { return [] }
  let entries = { (fields: Fields?, name: String) in (try? fields?[name]?.list()) ?? [] }
  let texts = { (fields: Fields?, name: String) in entries(fields, name).compactMap { try? $0.string() } }
  var paths: [String] = []
  for name in [
    "patchesStrategicMerge", "configurations", "transformers", "generators", "validators", "crds",
  ] {
    paths += texts(root, name)
  }
  for name in ["patches", "patchesJson6902", "replacements"] {
    paths += entries(root, name).compactMap { try? $0.fields()["path"]?.string() }
  }
  for name in ["configMapGenerator", "secretGenerator"] {
    for generator in entries(root, name) {
      let fields = try? generator.fields()
      // A file may be given as key=path.
      paths += (texts(fields, "files") + texts(fields, "envs")).map { String($0.split(separator: "=").last ?? "") }
    }
  }
  for chart in entries(root, "helmCharts") {
    let fields = try? chart.fields()
    paths += texts(fields, "additionalValuesFiles")
    if let path = try? fields?["valuesFile"]?.string() { paths.append(path) }
  }
  return paths.filter { !$0.isEmpty && !$0.contains("\n") }
}
