public import NetpolModel

/// Which objects a list or watch is about.
public struct ObjectSelection: Sendable {
  public let type: ResourceType
  /// `nil`: those of all namespaces.
  public let namespace: String?
  public let labels: LabelSelector
  public let fields: [FieldRequirement]

  /// `metadata.name=web` or `status.phase!=Running`.
  public struct FieldRequirement: Hashable, Sendable {
    public let field: String
    public let value: String
    public let isEqual: Bool
  }

  /// Throws `badRequest` for a selector that is none, or asks for a field by which objects can't be selected.
  public init(
    _ type: ResourceType, namespace: String? = nil, labelSelector: String = "", fieldSelector: String = ""
  ) throws(APIStatus) {
    self.type = type
    self.namespace = namespace
    labels = try LabelSelector(query: labelSelector)
    fields = try Self.requirements(fieldSelector)
    for requirement in fields where !type.canSelect(by: requirement.field) {
      throw APIStatus(.badRequest, "field label not supported: \(requirement.field)")
    }
  }

  /// All objects of a type.
  public init(all type: ResourceType) {
    self.type = type
    namespace = nil
    labels = .everything
    fields = []
  }

  public func includes(_ object: StoredObject) -> Bool {
    object.key.type == type && (namespace == nil || object.key.namespace == namespace) && matches(object)
  }

  private func matches(_ object: StoredObject) -> Bool {
    if fields.isEmpty, labels.isEverything { return true }
    return labels.matches(object.labels)
      && fields.allSatisfy { (object.field($0.field) ?? "") == $0.value ? $0.isEqual : !$0.isEqual }
  }

  /// The event as a watcher of this selection sees it: an object that begins to match is new, one that ceases to is gone.
  /// `nil` if the watcher doesn't see it.
  public func view(of event: ObjectEvent) -> (kind: ObjectEvent.Kind, object: StoredObject)? {
    guard event.object.key.type == type else { return nil }
    let was = event.previous.map(includes) ?? false
    let isNow = event.kind != .deleted && includes(event.object)
    return switch (was, isNow) {
    case (false, false): nil
    case (false, true): (.added, event.object)
    case (true, true): (.modified, event.object)
    case (true, false): (.deleted, event.object)
    }
  }

  /// The only name that a field selector asks for, such as `metadata.name=web`. `nil` if there is none.
  var name: String? { fields.first { $0.field == "metadata.name" && $0.isEqual }?.value }

  private static func requirements(_ text: String) throws(APIStatus) -> [FieldRequirement] {
    var requirements: [FieldRequirement] = []
    for term in text.split(separator: ",") {
      let sides = term.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard sides.count == 2, let first = sides.first else {
        throw APIStatus(.badRequest, "Unable to find \"\(term)\" that matches label selector: invalid selector")
      }
      let isEqual = !first.hasSuffix("!")
      let value = sides[1].hasPrefix("=") ? sides[1].dropFirst() : sides[1]
      let field = (isEqual ? first : first.dropLast()).filter { !$0.isWhitespace }
      requirements.append(.init(field: String(field), value: String(value), isEqual: isEqual))
    }
    return requirements
  }
}
