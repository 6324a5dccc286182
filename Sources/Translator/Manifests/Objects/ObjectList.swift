internal import NetpolModel
internal import Yams

extension ManifestObject {
  /// The object alone; of a list the items, and theirs where they are lists.
  func flattened() throws(ManifestError) -> [ManifestObject] {
    var result: [ManifestObject] = []
    var pending = [self]
    var lists: Set<String> = []
    while let object = pending.popLast() {
      guard let items = try object.items() else {
        result.append(object)
        continue
      }
      // Aliases could make a few Lists stand for billions.
      if let mark = object.root.mapping.node.mark, !lists.insert(mark.description).inserted {
        throw object.root.mapping.error("a second use of one List", "write the alias out")
      }
      pending += items.reversed()
    }
    return result
  }

  /// The objects of a `List`, or of a typed one such as `PodList`; nil where the object is no list.
  private func items() throws(ManifestError) -> [ManifestObject]? {
    guard kind.hasSuffix("List"), kind == "List" || root["items"] != nil else { return nil }
    let itemKind = kind == "List" ? nil : String(kind.dropLast(4))
    let version = kind == "List" ? nil : apiVersion
    let items = try root["items"]?.list() ?? []
    return try items.map { (item) throws(ManifestError) in
      try ManifestObject(item, kind: itemKind, apiVersion: version)
    }
  }
}
