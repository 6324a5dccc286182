internal import Manifests
internal import Text

extension MergeType {
  /// The parts of a value that may have owners of their own.
  enum Parts {
    /// There is one owner of all of it.
    case none
    case fields([String: JSON])
    /// The entries of a list. Those without a step can't be told apart.
    case entries([(step: FieldStep?, value: JSON)])
  }

  func parts(of value: JSON) -> Parts {
    if isAtomic { return .none }
    switch value {
    case .object(let fields):
      switch type?.shape {
      case .object, .map, nil: return .fields(fields)
      default: return .none
      }
    case .array(let values):
      if case .replaced = applied { return .none }
      return .entries(values.map { (step(to: $0), $0) })
    case .null, .bool, .integer, .decimal, .string: return .none
    }
  }

  /// The type of what a step leads to.
  func part(_ step: FieldStep) -> MergeType {
    switch step {
    case .field(let name): field(name)
    case .entry, .value, .index: element
    }
  }

  /// `nil` for an entry that has none of the fields that tell entries apart, or is no value of a set.
  func step(to entry: JSON) -> FieldStep? {
    switch (applied, entry) {
    case (.entries(let keys), .object(let fields)):
      var values: [String: JSON] = [:]
      for key in keys { values[key] = fields[key] ?? Self.defaults[key] }
      return values.isEmpty ? nil : .entry(values)
    case (.values, .bool), (.values, .integer), (.values, .decimal), (.values, .string): return .value(entry)
    default: return nil
    }
  }

  /// The only field by which entries are told apart that has a default: that of container ports and Service ports.
  private static let defaults: [String: JSON] = ["protocol": "TCP"]
}

extension FieldSet {
  /// What is in a value. `whole`: with each place on the way; else only what a writer states by it: values, entries of
  /// lists, and keys of maps (structured-merge-diff, `typed/tofieldset.go`).
  init(of value: JSON, _ type: MergeType, whole: Bool) {
    self.init()
    switch type.parts(of: value) {
    case .none: isMember = true
    case .fields(let fields):
      isMember = whole
      for (name, field) in fields {
        var part = FieldSet(of: field, type.field(name), whole: whole)
        if field == .empty || !type.names(name) { part.isMember = true }
        self[.field(name)] = part
      }
    case .entries(let entries):
      isMember = whole
      for case (let step?, let entry) in entries where self[step].isEmpty {
        var part = FieldSet(of: entry, type.element, whole: whole)
        part.isMember = true
        self[step] = part
      }
    }
  }
}

/// What is different between two states of an object.
struct FieldChanges {
  private(set) var added = FieldSet()
  private(set) var removed = FieldSet()
  private(set) var modified = FieldSet()

  init(from old: JSON, to new: JSON, _ type: MergeType) {
    switch (type.parts(of: old), type.parts(of: new)) {
    case (.fields(let old), .fields(let new)):
      for name in Set(old.keys).union(new.keys) { note(.field(name), old[name], new[name], type.field(name)) }
    case (.entries(let old), .entries(let new)):
      let (old, new) = (Self.byStep(old), Self.byStep(new))
      for step in Set(old.keys).union(new.keys) { note(step, old[step], new[step], type.element) }
    default:
      guard old != new else { return }
      modified.isMember = true
      removed = FieldSet(of: old, type, whole: true)
      added = FieldSet(of: new, type, whole: true)
      (removed.isMember, added.isMember) = (false, false)
    }
  }

  private mutating func note(_ step: FieldStep, _ old: JSON?, _ new: JSON?, _ type: MergeType) {
    switch (old, new) {
    case (let old?, let new?):
      let changes = FieldChanges(from: old, to: new, type)
      added[step] = changes.added
      removed[step] = changes.removed
      modified[step] = changes.modified
    case (nil, let new?):
      added[step] = FieldSet(of: new, type, whole: true)
      added[step].isMember = true
    case (let old?, nil):
      removed[step] = FieldSet(of: old, type, whole: true)
      removed[step].isMember = true
    case (nil, nil): break
    }
  }

  private static func byStep(_ entries: [(step: FieldStep?, value: JSON)]) -> [FieldStep: JSON] {
    Dictionary(
      entries.compactMap { entry in entry.step.map { ($0, entry.value) } }, uniquingKeysWith: { first, _ in first })
  }
}
