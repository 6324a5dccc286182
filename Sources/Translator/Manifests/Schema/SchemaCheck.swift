internal import NetpolModel
internal import Yams

/// The check of one object against the schema, as a strict API server decodes it. It finds all faults and throws none,
/// because the readers explain some of them better.
struct SchemaCheck {
  private enum Step {
    case key(String, line: Int)
    case entry(Int)
  }

  private let schema = APISchema.current
  private let subject: Subject
  private let kind: String
  private let validation: Validation
  /// Whether the object came out of an API server, which may be newer than the schema.
  private let isStored: Bool
  /// Whether the value belongs to another project's object, which may have fields that the schema doesn't know. Then
  /// only a field that looks like a misspelled one is a fault.
  private let isForeign: Bool
  /// The steps from the object's root to the current value.
  private var path: [Step] = []
  private var isInStatus: Bool { if case .key("status", _)? = path.first { true } else { false } }
  /// How many more values may be looked at.
  private var budget: Int

  /// The first fault of each kind that an API server refuses the object for.
  private var refusals: [SchemaFaults.Kind: ManifestError] = [:]
  /// The faults that are only told.
  private(set) var warnings = SchemaFaults()

  /// Checks an object of a kind that the schema has, and is `nil` for others. Takes the number of the object's values
  /// from `budget`, because a few lines with aliases could hold billions. Throws if there are more.
  init?(
    _ root: Field, _ kind: String, _ apiVersion: String, isStored: Bool, _ validation: Validation, budget: inout Int
  ) throws(ManifestError) {
    guard let type = schema.type(of: kind, apiVersion) else { return nil }
    subject = root.subject
    self.kind = kind
    self.validation = validation
    self.isStored = isStored
    isForeign = false
    self.budget = budget
    check(root.node, as: .object(type))
    budget = self.budget
    if budget < 0 { throw root.tooManyValues }
  }

  /// Checks `spec.template` of another project's object of this kind. Its faults are only told, because nobody knows what
  /// the project itself refuses. Throws if there are too many values.
  init?(template: Field, of kind: String, budget: inout Int) throws(ManifestError) {
    guard let type = schema.podTemplate else { return nil }
    subject = template.subject
    self.kind = kind
    validation = .asStored
    isStored = true
    isForeign = true
    path = [.key("spec", line: template.line), .key("template", line: template.line)]
    self.budget = budget
    check(template.node, as: .object(type))
    budget = self.budget
    if budget < 0 { throw template.tooManyValues }
  }

  /// Throws for an unknown field. Comes before the readers, which would miss the field that was meant.
  func refuseUnknown() throws(ManifestError) {
    if let error = refusals[.unknown] { throw error }
  }

  /// Throws for a wrong type, a wrong value or a missing field. Comes after the readers, which know better what is missing.
  func refuseOthers() throws(ManifestError) {
    if let error = refusals[.mismatched] ?? refusals[.unsupported] ?? refusals[.missing] { throw error }
  }

  private mutating func check(_ node: Yams.Node, as type: APISchema.FieldType) {
    budget -= 1
    if budget < 0 { return }
    switch type {
    case .any: if case .mapping = node { return } else { checkScalar(node, type) }
    case .object(let index): checkObject(node, schema.types[index], index)
    case .map(let element):
      for entry in entries(of: node) ?? [] {
        path.append(.key(entry.name, line: entry.line))
        check(entry.value, as: element)
        path.removeLast()
      }
    case .list(let element):
      guard case .sequence(let sequence) = node else { return checkScalar(node, type) }
      for index in sequence.indices {
        path.append(.entry(index))
        check(sequence[index], as: element)
        path.removeLast()
      }
    case .string, .integer, .boolean, .time, .quantity: checkScalar(node, type)
    }
  }

  private mutating func checkObject(_ node: Yams.Node, _ type: APISchema.ObjectType, _ index: Int) {
    // An object that is null counts as absent. An entry of a list can't be absent, and null gives it no fields.
    if case .entry? = path.last {} else if isNull(node) { return }
    guard let entries = entries(of: node) else { return }
    var found: UInt32 = 0
    for entry in entries {
      guard let member = type.fields[entry.name] else {
        if isForeign, entry.name.nearest(of: type.fields.keys.sorted()) == nil { continue }
        path.append(.key(entry.name, line: entry.line))
        if isNews(.unknown) {
          tell(.unknown, field(entry.key).unknown(entry.name, type, hint: schema.path(to: entry.name, below: index)))
        }
        path.removeLast()
        continue
      }
      if member.bit != 0, !isEmpty(entry.value) { found |= member.bit }
      path.append(.key(entry.name, line: entry.line))
      check(entry.value, as: member.type)
      if let values = member.values { checkText(entry.value, values) }
      path.removeLast()
    }
    if found == type.needs || isInStatus || isForeign { return }
    for name in type.required where found & (type.fields[name]?.bit ?? 0) == 0 {
      path.append(.key(name, line: line(of: node)))
      if isNews(.missing) { tell(.missing, field(node).error("is missing", name.remedyIfMissing)) }
      path.removeLast()
    }
  }

  private func isNull(_ node: Yams.Node) -> Bool {
    if case .scalar(let scalar) = node { Scalar(scalar) == .null } else { false }
  }

  /// Whether the API server takes the value for an absent one where a value is required.
  private func isEmpty(_ node: Yams.Node) -> Bool {
    switch node {
    case .scalar(let scalar): [.null, .string("")].contains(Scalar(scalar))
    case .sequence(let sequence): sequence.isEmpty
    case .mapping, .alias: false
    }
  }

  private mutating func checkText(_ node: Yams.Node, _ values: [String]) {
    guard case .scalar(let scalar) = node, case .string(let text) = Scalar(scalar), !text.isEmpty,
      !values.contains(text)
    else { return }
    if isNews(.unsupported) { tell(.unsupported, field(node).unsupported(text, values)) }
  }

  private mutating func checkScalar(_ node: Yams.Node, _ type: APISchema.FieldType) {
    if case .scalar(let scalar) = node, Scalar(scalar).fits(type) { return }
    if isNews(.mismatched) { tell(.mismatched, field(node).mismatch(type)) }
  }

  private typealias Entry = (name: String, line: Int, key: Yams.Node, value: Yams.Node)

  /// The entries of a mapping, with merged ones. Null has none. `nil` for what is no mapping, which is reported.
  private mutating func entries(of node: Yams.Node) -> [Entry]? {
    guard case .mapping(let mapping) = node else {
      if isNull(node) { return [] }
      if isNews(.mismatched) { tell(.mismatched, field(node).mismatch("a mapping")) }
      return nil
    }
    var entries: [Entry] = []
    entries.reserveCapacity(mapping.count)
    for index in mapping.indices {
      let (key, value) = mapping[index]
      guard case .scalar(let name) = key, !name.isMergeOrBoolean else { return slowEntries(of: node) }
      entries.append((name.string, name.mark?.line ?? line(of: node), key, value))
    }
    return entries
  }

  /// The entries as the readers see them: YAML merges are done, and keys that are no text are errors.
  private mutating func slowEntries(of node: Yams.Node) -> [Entry]? {
    do {
      return try field(node).fields().map { name, field in (name, field.line, field.node, field.node) }
    } catch {
      if isNews(.mismatched) { tell(.mismatched, error) }
      return nil
    }
  }

  private func refuses(_ fault: SchemaFaults.Kind) -> Bool {
    validation == .apiServer && ([.mismatched, .missing].contains(fault) || !isStored && !isInStatus)
  }

  /// The kind and the field at the current path, without the numbers of list entries.
  private var fieldName: String { "\(kind) \(pathText(numbered: false))" }

  /// Whether nothing like this fault at the current path was told before. If it was, it is only counted.
  private mutating func isNews(_ fault: SchemaFaults.Kind) -> Bool {
    refuses(fault) ? refusals[fault] == nil : !warnings.countAgain(fault, fieldName)
  }

  private mutating func tell(_ fault: SchemaFaults.Kind, _ error: ManifestError) {
    if refuses(fault) { refusals[fault] = error } else { warnings.note(fault, fieldName, error) }
  }

  /// The value at the current path.
  private func field(_ node: Yams.Node) -> Field {
    Field(node, path: pathText(numbered: true), subject: subject, keyLine: line(of: node))
  }

  /// The line of a value, or of the last key above it.
  private func line(of node: Yams.Node) -> Int {
    if let line = node.mark?.line { return line }
    for case .key(_, let line) in path.reversed() { return line }
    return 1
  }

  private func pathText(numbered: Bool) -> String {
    var text = ""
    for step in path {
      switch step {
      case .key(let name, _): text += text.isEmpty ? name : ".\(name)"
      case .entry(let index): text += numbered ? "[\(index)]" : "[]"
      }
    }
    return text
  }
}
