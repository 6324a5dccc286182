internal import NetpolModel
internal import Text
internal import Yams

/// Documents that were found in a directory and are no manifests: Helm values, kustomizations, package.json.
struct TypelessDocuments {
  private var count = 0
  private var files: [String] = []

  mutating func note(in file: String) {
    count += 1
    if files.last != file { files.append(file) }
  }

  var notes: [Note] {
    if count == 0 { return [] }
    return [Note(.note, "skipped \(counted(count, "document")) without apiVersion and kind: \(files.abridged())")]
  }
}

extension Field {
  /// Whether the document has neither `apiVersion` nor `kind`. Looks at the keys alone, since what is no manifest may
  /// hold what no manifest may.
  var isTypeless: Bool {
    guard case .mapping(let mapping) = node else { return true }
    return !mapping.contains { key, value in
      guard case .scalar(let name) = key, ["apiVersion", "kind", "<<"].contains(name.string) else { return false }
      return !Field(value, path: "", subject: subject).isNull
    }
  }
}
