internal import NetpolModel
internal import Yams

/// Where an object is written in a text.
struct ObjectPlace {
  let root: Yams.Node
  /// The list that holds it, and its index there. `nil`: it is a document by itself.
  let item: (list: Yams.Node, index: Int)?

  /// The first object of a kind with a name. `nil` if the text has none, or can't be changed where it stands.
  init?(_ kind: String, _ id: (namespace: String?, name: String), in source: ManifestSource) {
    // What Yams reads must be what the file holds, or its places are wrong.
    guard let normalized = try? source.normalized(), normalized.text == source.text,
      var documents = try? Documents(normalized)
    else { return nil }
    while let root = try? documents.next() {
      if root.isObject(kind, id) {
        (self.root, item) = (root, nil)
        return
      }
      guard root[entry: "kind"]?.word.hasSuffix("List") == true, case .sequence(let items)? = root[entry: "items"]
      else { continue }
      for index in items.indices where items[index].isObject(kind, id) {
        (self.root, item) = (items[index], (.sequence(items), index))
        return
      }
    }
    return nil
  }
}

extension Yams.Node {
  /// The value of a key that is written as a plain entry.
  subscript(entry key: String) -> Yams.Node? {
    guard case .mapping(let entries) = self else { return nil }
    return entries.first { $0.key.word == key }?.value
  }

  /// The same along a path.
  func value(_ path: [String]) -> Yams.Node? { path.reduce(Optional.some(self)) { $0?[entry: $1] } }

  var word: String { if case .scalar(let scalar) = self { scalar.string } else { "" } }

  fileprivate func isObject(_ kind: String, _ id: (namespace: String?, name: String)) -> Bool {
    guard self[entry: "kind"]?.word == kind, let metadata = self[entry: "metadata"] else { return false }
    guard metadata[entry: "name"]?.word == id.name else { return false }
    guard let namespace = id.namespace else { return true }
    let own = metadata[entry: "namespace"]?.word ?? ""
    return (own.isEmpty ? "default" : own) == namespace
  }
}
