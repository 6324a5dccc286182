internal import NetpolModel
internal import Text
internal import Yams

/// Documents found in a directory that are not manifests: Helm values, kustomizations, package.json.
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
  /// Whether the document has neither `apiVersion` nor `kind`. Looks only at the keys, because a file that is not a
  /// manifest may have contents that a manifest may not.
  var isTypeless: Bool {
    guard case .mapping(let mapping) = node else { return true }
    return !mapping.contains { key, value in
      guard case .scalar(let name) = key, ["apiVersion", "kind", "<<"].contains(name.string) else { return false }
      return !Field(value, path: "", subject: subject).isNull
    }
  }
}
