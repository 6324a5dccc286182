public import Manifests
public import Text

extension FieldOwnership {
  /// A server-side apply: the object with all that a configuration says, and without what its manager applied before,
  /// leaves out now, and nobody else owns. `object`: `nil` if there is none yet. The result has no `managedFields`:
  /// `managedFields(at:)` gives them.
  ///
  /// Throws `conflict` if another manager owns a field that gets another value, unless `force` takes it over. Then
  /// `self` is as it was.
  public mutating func apply(
    _ configuration: JSON, by name: String, force: Bool, to object: JSON?, subresource: String = "",
    as type: ValueType?
  ) throws(APIStatus) -> JSON {
    let type = MergeType(object: type)
    try Self.check(configuration, object, type)
    let apiVersion = configuration["apiVersion"]?.string ?? ""
    let manager = Manager(name, .apply, subresource: subresource)
    let live = (object ?? .empty).withoutManagedFields

    let stated = FieldSet(of: configuration, type, whole: false)
    let others = shares.filter { $0.key != manager }
    let kept = others.values.reduce(stated) { $0.union($1.fields) }
    var merged = live.applying(configuration, type)
    merged = merged.pruned(fields(of: manager), kept: kept, type, isRoot: true)

    let changes = FieldChanges(from: live, to: merged, type)
    let changed = changes.added.union(changes.modified)
    let conflicts = others.mapValues { $0.fields.intersection(changed) }.filter { !$0.value.isEmpty }
    if !force { try Self.check(conflicts, name == "kubectl" ? live.lastApplied(type) : FieldSet(), shares) }

    subtract(changed.union(changes.removed), butNotFrom: manager)
    let fields = stated.withoutIdentity
    let isUnchanged = live == merged && shares[manager]?.fields == fields
    shares[manager] =
      fields.isEmpty
      ? nil : Share(fields: fields, apiVersion: apiVersion, time: isUnchanged ? shares[manager]?.time : nil)
    if name == "kubectl" { merged.renewLastApplied(configuration) }
    return merged
  }

  private static func check(_ configuration: JSON, _ object: JSON?, _ type: MergeType) throws(APIStatus) {
    guard case .object = configuration else {
      throw APIStatus(.badRequest, "error decoding patch: an apply patch is an object")
    }
    if let managed = configuration["metadata"]?["managedFields"], !managed.isNull {
      throw APIStatus(.badRequest, "metadata.managedFields must be nil")
    }
    if let expected = object?["apiVersion"]?.string {
      let version = configuration["apiVersion"]?.string ?? ""
      guard version == expected else {
        throw APIStatus(
          .badRequest,
          "Incorrect version specified in apply patch. Specified patch version: \(version), expected: \(expected)")
      }
    }
    if let problem = configuration.listProblem(type) {
      throw APIStatus(
        .badRequest,
        "failed to create typed patch object: \(problem.steps.reversed().map(\.text).joined()): \(problem.text)")
    }
  }

  /// Throws for fields that others own, but not for those that a client-side apply wrote
  /// (`pkg/util/managedfields/internal/lastappliedmanager.go`).
  private static func check(
    _ conflicts: [Manager: FieldSet], _ allowed: FieldSet, _ shares: [Manager: Share]
  ) throws(APIStatus) {
    let conflicts = conflicts.mapValues { $0.subtracting(allowed) }.filter { !$0.value.isEmpty }
      .map { manager, fields in (owner: manager.text, paths: fields.paths) }
      .sorted { $0.owner < $1.owner }
    guard !conflicts.isEmpty else { return }
    let causes = conflicts.flatMap { conflict in
      conflict.paths.map {
        APIStatus.Cause(reason: "FieldManagerConflict", message: "conflict with \(conflict.owner)", field: $0)
      }
    }
    var message: String
    if causes.count == 1, let cause = causes.first {
      message = "Apply failed with 1 conflict: \(cause.message): \(cause.field)"
    } else {
      let lines = conflicts.flatMap { ["conflicts with \($0.owner):"] + $0.paths.map { "- \($0)" } }
      message = "Apply failed with \(causes.count) conflicts: \(lines.joined(separator: "\n"))"
    }
    throw APIStatus(.conflict, message, causes: causes)
  }
}

extension FieldOwnership.Manager {
  /// As messages name it (`pkg/util/managedfields/internal/conflict.go`).
  fileprivate var text: String {
    var text = JSON.string(name).text
    if !subresource.isEmpty { text += " with subresource \(JSON.string(subresource).text)" }
    if case .update(let apiVersion) = operation { text += " using \(apiVersion)" }
    return text
  }
}

extension JSON {
  /// This value with all that a configuration says. Lists of entries have the configuration's order.
  fileprivate func applying(_ configuration: JSON, _ type: MergeType) -> JSON {
    switch type.parts(of: configuration) {
    case .none: return configuration
    case .fields(let stated):
      var fields: [String: JSON] = [:]
      if case .fields(let own) = type.parts(of: self) { fields = own }
      for (name, value) in stated {
        fields[name] = value.isNull ? nil : (fields[name] ?? .null).applying(value, type.field(name))
      }
      return .object(fields)
    case .entries(let stated):
      var own: [(step: FieldStep?, value: JSON)] = []
      if case .entries(let entries) = type.parts(of: self) { own = entries }
      return .array(Self.merged(own, stated, type.element))
    }
  }

  /// Entries that the configuration doesn't have keep their places before those that follow them.
  private static func merged(
    _ own: [(step: FieldStep?, value: JSON)], _ stated: [(step: FieldStep?, value: JSON)], _ element: MergeType
  ) -> [JSON] {
    let stays = Set(stated.compactMap(\.step))
    var places: [FieldStep: Int] = [:]
    for (place, entry) in own.enumerated() {
      if let step = entry.step, places[step] == nil { places[step] = place }
    }
    var result: [JSON] = []
    var next = 0
    let takeOthers = { (end: Int) in
      while next < end {
        if own[next].step.map({ !stays.contains($0) }) ?? true { result.append(own[next].value) }
        next += 1
      }
    }
    for entry in stated {
      if let step = entry.step, let place = places[step] {
        takeOthers(place)
        result.append(own[place].value.applying(entry.value, element))
      } else {
        result.append(JSON.null.applying(entry.value, element))
      }
    }
    takeOthers(own.count)
    return result
  }

  /// Without what a manager applied before, unless somebody owns it or anything in it. What nobody owns goes with the
  /// object or entry that it is in (structured-merge-diff, `merge/update.go`).
  fileprivate func pruned(
    _ last: FieldSet, kept: FieldSet, _ type: MergeType, isRoot: Bool = false, keys: Set<String> = []
  ) -> JSON {
    switch type.parts(of: self) {
    case .none: return self
    case .fields(var fields):
      for (step, below) in last.below {
        guard case .field(let name) = step, let value = fields[name], !keys.contains(name) else { continue }
        if kept[step].isEmpty, !(isRoot && ["apiVersion", "kind", "metadata"].contains(name)) {
          fields[name] = nil
        } else {
          fields[name] = value.pruned(below, kept: kept[step], type.field(name))
        }
      }
      return .object(fields)
    case .entries(let entries):
      return .array(
        entries.compactMap { entry in
          guard let step = entry.step, let below = last.below[step] else { return entry.value }
          if kept[step].isEmpty { return nil }
          var keys: Set<String> = []
          if case .entry(let values) = step { keys = Set(values.keys) }
          return entry.value.pruned(below, kept: kept[step], type.element, keys: keys)
        })
    }
  }

  /// What makes it impossible to tell the entries of a list apart, with the way to it from the end.
  fileprivate func listProblem(_ type: MergeType) -> (steps: [FieldStep], text: String)? {
    switch type.parts(of: self) {
    case .none: return nil
    case .fields(let fields):
      for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
        if var problem = value.listProblem(type.field(name)) {
          problem.steps.append(.field(name))
          return problem
        }
      }
    case .entries(let entries):
      var seen: Set<FieldStep> = []
      for (index, entry) in entries.enumerated() {
        guard let step = entry.step else { return ([], "element \(index): \(type.missingKeys)") }
        guard seen.insert(step).inserted else { return ([], "duplicate entries for key \(step.text)") }
        if var problem = entry.value.listProblem(type.element) {
          problem.steps.append(step)
          return problem
        }
      }
    }
    return nil
  }
}

extension MergeType {
  fileprivate var missingKeys: String {
    switch applied {
    case .entries(let keys):
      """
      associative list with keys has an element that omits all key fields \(keys) \
      (and doesn't have default values for any key fields)
      """
    case .values, .replaced: "associative list without keys has an element that is no value"
    }
  }
}
