public import Manifests
public import Text

extension JSON {
  /// The object with a strategic merge patch done: objects field by field, lists by the API's merge keys, with the
  /// directives `$patch`, `$retainKeys`, `$deleteFromPrimitiveList/…` and `$setElementOrder/…`.
  ///
  /// Throws `unsupportedMediaType` without a type, as API servers do for custom resources.
  public func merging(strategic patch: JSON, as type: ValueType?) throws(APIStatus) -> JSON {
    guard let type else {
      throw APIStatus(
        .unsupportedMediaType,
        """
        the body of the request was in an unknown format - accepted media types include: \
        application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml
        """)
    }
    return try merging(patch, MergeType(object: type))
  }

  /// The same for a kind that API servers have but the schema doesn't, such as a ConfigMap: its metadata by the API's
  /// merge keys, and all lists outside are replaced.
  public func merging(strategicWithoutSchema patch: JSON) throws(APIStatus) -> JSON {
    try merging(patch, MergeType(object: nil))
  }

  private func merging(_ patch: JSON, _ type: MergeType) throws(APIStatus) -> JSON {
    guard case .object(let changes) = patch else { throw APIStatus(.badRequest, "invalid JSON document") }
    return .object(try fields.merging(changes, type))
  }
}

/// What a strategic merge patch says besides values.
private enum Directive {
  static let patch = "$patch"
  static let retainKeys = "$retainKeys"
  static let deletion = "$deleteFromPrimitiveList/"
  static let order = "$setElementOrder/"

  /// The value of `$patch`.
  enum Action: String {
    case delete, replace
    /// Says what is so without it. API servers refuse it, though the documentation has it.
    case merge
  }

  static func action(_ fields: [String: JSON]) throws(APIStatus) -> Action? {
    guard let value = fields[patch] else { return nil }
    guard let action = value.string.flatMap(Action.init) else {
      throw APIStatus(.badRequest, "unknown patch type: \(value.string ?? value.text)")
    }
    return action
  }

  static func isOne(_ name: String) -> Bool {
    name == patch || name == retainKeys || name.hasPrefix(deletion) || name.hasPrefix(order)
  }

  /// The values of directives with a prefix, by the names of the lists that they are about.
  static func lists(_ prefix: String, _ problem: String, _ patch: [String: JSON]) throws(APIStatus) -> [String: [JSON]]
  {
    var lists: [String: [JSON]] = [:]
    for (name, value) in patch where name.hasPrefix(prefix) {
      guard case .array(let values) = value else { throw APIStatus(.badRequest, problem) }
      lists[String(name.dropFirst(prefix.count))] = values
    }
    return lists
  }
}

extension [String: JSON] {
  /// These fields with those of a patch.
  fileprivate func merging(_ patch: [String: JSON], _ type: MergeType) throws(APIStatus) -> [String: JSON] {
    switch try Directive.action(patch) {
    case .replace: return patch.withoutDirectives
    case .delete: return [:]
    case .merge, nil: break
    }
    var merged = self
    try merged.retain(patch)
    let deletions = try Directive.lists(Directive.deletion, "invalid patch format of primitive list", patch)
    for (name, values) in deletions {
      guard case .array(let old)? = merged[name] else { continue }
      let deleted = Set(values)
      merged[name] = .array(old.filter { !deleted.contains($0) })
    }
    let orders = try Directive.lists(Directive.order, "invalid patch format of setElementOrder list", patch)
    for (name, change) in patch where !Directive.isOne(name) {
      if change.isNull {
        merged[name] = nil
        continue
      }
      switch (merged[name], change) {
      case (.object(let old), .object(let new)): merged[name] = .object(try old.merging(new, type.field(name)))
      case (.array(let old), .array(let new)):
        merged[name] = .array(try MergedList(type.field(name), order: orders[name]).merging(old, new))
      case (nil, .array(let new)) where orders[name] != nil:
        merged[name] = .array(try MergedList(type.field(name), order: orders[name]).merging([], new))
      default: merged[name] = change.withoutDirectives
      }
    }
    for (name, order) in orders where patch[name] == nil {
      guard case .array(let old)? = merged[name] else { continue }
      merged[name] = .array(try MergedList(type.field(name), order: order).merging(old, []))
    }
    return merged
  }

  /// Removes the fields that `$retainKeys` doesn't name.
  private mutating func retain(_ patch: [String: JSON]) throws(APIStatus) {
    guard let value = patch[Directive.retainKeys] else { return }
    let problem = APIStatus(.badRequest, "invalid patch format of retainKeys")
    guard case .array(let values) = value else { throw problem }
    let names = Set(values.compactMap(\.string))
    for (name, change) in patch where !Directive.isOne(name) && !change.isNull && !names.contains(name) {
      throw problem
    }
    self = filter { names.contains($0.key) }
  }

  /// The fields of a patch where there was nothing before.
  fileprivate var withoutDirectives: [String: JSON] {
    var fields: [String: JSON] = [:]
    for (name, value) in self where !Directive.isOne(name) && !value.isNull { fields[name] = value.withoutDirectives }
    return fields
  }
}

extension JSON {
  /// A value of a patch where there was nothing before. `nil` if it says that there should be nothing.
  fileprivate var withoutDirectives: JSON? {
    switch self {
    case .object(let fields):
      fields[Directive.patch]?.string == Directive.Action.delete.rawValue ? nil : .object(fields.withoutDirectives)
    // An entry that says to replace the list is none of its entries.
    case .array(let values):
      .array(values.filter { $0[Directive.patch] != "replace" }.compactMap(\.withoutDirectives))
    case .null, .bool, .integer, .decimal, .string: self
    }
  }
}

/// How one list is merged.
private struct MergedList {
  private let listing: MergeType.Listing
  private let element: MergeType
  /// `$setElementOrder`. `nil`: that of the patch.
  private let order: [JSON]?

  init(_ type: MergeType, order: [JSON]?) {
    listing = type.patched
    element = type.element
    self.order = order
  }

  func merging(_ old: [JSON], _ patch: [JSON]) throws(APIStatus) -> [JSON] {
    switch listing {
    // A patch may name only the order of a list that is replaced; then it stays.
    case .replaced: return patch.isEmpty && order != nil ? old : patch.compactMap(\.withoutDirectives)
    case .values:
      var seen: Set<JSON> = []
      let merged = (old + patch).filter { seen.insert($0).inserted }
      return try sorted(merged, old, patch) { $0 }
    case .entries(let keys):
      guard let key = keys.first else { return patch }
      return try merging(old, patch, key)
    }
  }

  private func merging(_ old: [JSON], _ patch: [JSON], _ key: String) throws(APIStatus) -> [JSON] {
    var deleted: Set<JSON> = []
    var isReplaced = false
    var changes: [(id: JSON, fields: [String: JSON])] = []
    for entry in patch {
      guard case .object(var fields) = entry else {
        throw APIStatus(.badRequest, "list element types are not identical")
      }
      let action = try Directive.action(fields)
      if action == .replace {
        isReplaced = true
        continue
      }
      guard let id = fields[key] else {
        throw APIStatus(
          .invalid, "the server rejected our request due to an error in our request",
          causes: [
            .init(
              reason: "UnexpectedServerResponse",
              message: "map: \(entry.text) does not contain declared merge key: \(key)", field: "")
          ])
      }
      fields[Directive.patch] = nil
      if action == .delete { deleted.insert(id) } else { changes.append((id, fields)) }
    }
    if isReplaced { return changes.map { .object($0.fields.withoutDirectives) } }

    var merged = old.filter { entry in entry[key].map { !deleted.contains($0) } ?? true }
    var places: [JSON: Int] = [:]
    for (place, entry) in merged.enumerated() {
      if let id = entry[key], places[id] == nil { places[id] = place }
    }
    for (id, fields) in changes {
      if let place = places[id] {
        merged[place] = .object(try merged[place].fields.merging(fields, element))
      } else {
        places[id] = merged.count
        merged.append(.object(fields.withoutDirectives))
      }
    }
    return try sorted(merged, old, changes.map { .object($0.fields) }) { $0[key] }
  }

  /// The entries of a patch in its order, or in that of `$setElementOrder`, and between them the others in theirs:
  /// each before the first entry of the patch that was after it. An entry that is new is before those that were there.
  private func sorted(
    _ merged: [JSON], _ old: [JSON], _ patch: [JSON], _ id: (JSON) -> JSON?
  ) throws(APIStatus) -> [JSON] {
    let wanted = Self.places((order ?? patch).map(id))
    if order != nil {
      let places = patch.map { id($0).flatMap { wanted[$0] } }
      guard !places.contains(nil), zip(places, places.dropFirst()).allSatisfy({ ($0 ?? 0) <= ($1 ?? 0) }) else {
        throw APIStatus(.badRequest, "The order in patch list doesn't match $setElementOrder list")
      }
    }
    let before = Self.places(old.map(id))
    func place(_ entry: JSON, _ places: [JSON: Int]) -> Int? { id(entry).flatMap { places[$0] } }
    let ours = merged.enumerated().compactMap { index, entry in
      place(entry, wanted).map { (place: $0, index: index, entry: entry) }
    }.sorted { ($0.place, $0.index) < ($1.place, $1.index) }.map(\.entry)
    let others = merged.filter { place($0, wanted) == nil }

    var result: [JSON] = []
    var rest = others[...]
    for entry in ours {
      if let limit = place(entry, before) {
        while let other = rest.first, let own = place(other, before), own < limit {
          result.append(other)
          rest = rest.dropFirst()
        }
      }
      result.append(entry)
    }
    return result + rest
  }

  /// The first place of each.
  private static func places(_ ids: [JSON?]) -> [JSON: Int] {
    var places: [JSON: Int] = [:]
    for (place, id) in ids.enumerated() {
      if let id, places[id] == nil { places[id] = place }
    }
    return places
  }
}
