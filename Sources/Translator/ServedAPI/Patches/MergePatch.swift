public import Text

extension JSON {
  /// The value with a JSON merge patch (RFC 7396) done: fields of objects are set one by one, `null` removes one, and
  /// anything else replaces.
  public func merging(_ patch: JSON) -> JSON {
    guard case .object(let changes) = patch else { return patch }
    var merged = fields
    for (name, change) in changes {
      merged[name] = change.isNull ? nil : (merged[name] ?? .null).merging(change)
    }
    return .object(merged)
  }
}
