internal import Text

extension JSON {
  /// The status that says of a CustomResourceDefinition that its types are served.
  mutating func establish(_ now: APITime) {
    self[["status", "acceptedNames"]] = self["spec"]?["names"] ?? .empty
    let stored = (self["spec"]?["versions"]?.array ?? []).filter { $0["storage"] == true }.compactMap { $0["name"] }
    self[["status", "storedVersions"]] = .array(stored)
    for (type, reason) in [("NamesAccepted", "NoConflicts"), ("Established", "InitialNamesAccepted")] {
      setCondition(type, true, reason: reason, now)
    }
  }
}

/// The types that CustomResourceDefinitions add.
extension ServedCluster {
  /// Serves the types of a CustomResourceDefinition from now on.
  mutating func learn(_ definition: JSON) {
    for type in Self.types(of: definition) where !types.contains(type) { types.append(type) }
  }

  /// Serves them no more.
  mutating func forget(_ definition: JSON) {
    let gone = Self.types(of: definition)
    for type in gone { for key in store.keys(type) { store.remove(key) } }
    types.removeAll { $0.isOpaque && gone.contains($0) }
  }

  /// That of the storage version, or else of the first that is served: an object is one whatever its version, and versions
  /// can't be converted here. Empty if names are missing.
  private static func types(of definition: JSON) -> [ResourceType] {
    let spec = definition["spec"]
    let names = spec?["names"]
    guard let group = spec?["group"]?.string, let kind = names?["kind"]?.string, let plural = names?["plural"]?.string,
      !group.isEmpty, !kind.isEmpty, !plural.isEmpty
    else { return [] }
    let served = (spec?["versions"]?.array ?? []).filter { $0["served"] != false }
    guard let version = served.first(where: { $0["storage"] == true }) ?? served.first,
      let name = version["name"]?.string, !name.isEmpty
    else { return [] }
    return [
      ResourceType(
        group, name, kind, plural, shortNames: names?["shortNames"]?.array.compactMap(\.string) ?? [],
        isNamespaced: spec?["scope"] != "Cluster", hasStatus: version["subresources"]?["status"] != nil, isOpaque: true,
        singular: names?["singular"]?.string)
    ]
  }

  /// The type of an object of another project, which is served from now on. `nil` for one without kind or version.
  mutating func type(ofForeign object: JSON) -> ResourceType? {
    guard let kind = object["kind"]?.string, let apiVersion = object["apiVersion"]?.string, !kind.isEmpty else {
      return nil
    }
    let parts = apiVersion.split(separator: "/").map(String.init)
    guard let version = parts.last else { return nil }
    let group = parts.count > 1 ? parts[0] : ""
    if let known = types.first(where: { $0.kind == kind && $0.group == group && $0.version == version }) {
      return known
    }
    // Without a definition, the plural is a guess that holds for nearly all kinds.
    let word = kind.lowercased()
    let plural =
      word.hasSuffix("y") && !"aeiou".contains(word.dropLast().last ?? "a")
      ? "\(word.dropLast())ies"
      : word.hasSuffix("s") || word.hasSuffix("x") || word.hasSuffix("ch") ? "\(word)es" : "\(word)s"
    let type = ResourceType(
      group, version, kind, plural, isNamespaced: object["metadata"]?["namespace"] != nil, hasStatus: false,
      isOpaque: true)
    types.append(type)
    return type
  }
}
