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
  /// Whether the document has neither `apiVersion` nor `kind`, in whatever case, and doesn't look like an object that
  /// lacks them: `metadata` beside `spec`. Looks only at the keys, because a file that is not a manifest may have contents
  /// that a manifest may not.
  var isTypeless: Bool {
    guard case .mapping(let mapping) = node else { return true }
    var names: Set<String> = []
    for (key, value) in mapping {
      guard case .scalar(let name) = key, !Field(value, path: "", subject: subject).isNull else { continue }
      names.insert(name.string.lowercased())
    }
    return names.isDisjoint(with: ["apiversion", "kind", "<<"]) && !names.isSuperset(of: ["metadata", "spec"])
  }
}
