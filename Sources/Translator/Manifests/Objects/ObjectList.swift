internal import NetpolModel
internal import Yams

extension ManifestObject {
  /// The object itself, or the items of a list, with nested lists expanded.
  func flattened() throws(ManifestError) -> [ManifestObject] {
    var result: [ManifestObject] = []
    var pending = [self]
    var lists: Set<String> = []
    while let object = pending.popLast() {
      guard let items = try object.items() else {
        result.append(object)
        continue
      }
      // With aliases, a few Lists could expand to billions of objects.
      if let mark = object.root.mapping.node.mark, !lists.insert(mark.description).inserted {
        throw object.root.mapping.error("the same List is used twice", "write the alias out")
      }
      pending += items.reversed()
    }
    return result
  }

  /// The objects of a `List`, or of a typed list such as `PodList`. `nil` if the object is not a list.
  private func items() throws(ManifestError) -> [ManifestObject]? {
    guard kind.hasSuffix("List") else { return nil }
    let states = root.contains { $0.name == "items" }
    if !states, ObjectKind.isList(kind, of: group) { throw root.missing("items", "give the list's objects") }
    guard states else { return nil }
    let itemKind = kind == "List" ? nil : String(kind.dropLast(4))
    let version = kind == "List" ? nil : apiVersion
    let items = try root["items"]?.list() ?? []
    return try items.map { (item) throws(ManifestError) in
      try ManifestObject(item, kind: itemKind, apiVersion: version)
    }
  }
}
