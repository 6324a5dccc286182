/// What a path of the API is about.
enum APIPath: Hashable {
  case version
  /// `/api` and `/apis`.
  case groups(isCore: Bool)
  /// `/apis/apps`
  case group(String)
  /// `/api/v1`, `/apis/apps/v1`.
  case groupVersion(group: String, version: String)
  case openAPI([String])
  /// `/healthz`, `/livez`, `/readyz`.
  case health
  /// All objects of a type in one namespace, or in all.
  case collection(ResourceType, namespace: String?)
  case object(ObjectKey, subresource: String?)

  /// `nil` for a path that the API doesn't have.
  init?(_ parts: [String], _ types: [ResourceType]) {
    guard let first = parts.first else { return nil }
    switch (first, parts.count) {
    case ("version", 1): self = .version
    case ("healthz", _), ("livez", _), ("readyz", _): self = .health
    case ("openapi", _): self = .openAPI(Array(parts.dropFirst()))
    case ("api", 1): self = .groups(isCore: true)
    case ("apis", 1): self = .groups(isCore: false)
    case ("apis", 2): self = .group(parts[1])
    case ("api", 2): self = .groupVersion(group: "", version: parts[1])
    case ("apis", 3): self = .groupVersion(group: parts[1], version: parts[2])
    case ("api", 3...): self.init(group: "", version: parts[1], Array(parts.dropFirst(2)), types)
    case ("apis", 4...): self.init(group: parts[1], version: parts[2], Array(parts.dropFirst(3)), types)
    default: return nil
    }
  }

  /// `rest`: `pods`, `namespaces/shop/pods/web/status`.
  private init?(group: String, version: String, _ rest: [String], _ types: [ResourceType]) {
    let type = { (plural: String) in
      types.first { $0.plural == plural && $0.group == group && $0.version == version }
    }
    // A namespace's own parts are named like types.
    if rest.count >= 3, rest[0] == "namespaces", let type = type(rest[2]), type.isNamespaced {
      switch rest.count {
      case 3: self = .collection(type, namespace: rest[1])
      case 4: self = .object(ObjectKey(type, rest[1], rest[3]), subresource: nil)
      case 5: self = .object(ObjectKey(type, rest[1], rest[3]), subresource: rest[4])
      default: return nil
      }
      return
    }
    guard let name = rest.first, let type = type(name) else { return nil }
    switch rest.count {
    case 1: self = .collection(type, namespace: nil)
    case 2 where !type.isNamespaced: self = .object(ObjectKey(type, "", rest[1]), subresource: nil)
    case 3 where !type.isNamespaced: self = .object(ObjectKey(type, "", rest[1]), subresource: rest[2])
    default: return nil
    }
  }
}
