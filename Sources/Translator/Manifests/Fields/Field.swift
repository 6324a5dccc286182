internal import NetpolModel
internal import Text
internal import Yams

/// What an error is about: the file and the object in it.
struct Subject {
  let file: String
  /// `Kind namespace/name`, or `nil` if not yet known.
  var object: String?
}

/// A value in a document, and its path.
struct Field {
  let node: Yams.Node
  /// Empty at the object's root.
  let path: String
  let subject: Subject
  /// The line of the value, or of its key if the value has no position.
  let line: Int

  init(_ node: Yams.Node, path: String, subject: Subject, keyLine: Int = 1) {
    self.node = node
    self.path = path
    self.subject = subject
    line = node.mark?.line ?? keyLine
  }

  var location: SourceLocation { SourceLocation(file: subject.file, line: line) }

  func error(_ problem: String, _ remedy: String? = nil) -> ManifestError {
    ManifestError(
      location: location, object: subject.object, field: path.isEmpty ? nil : path, problem: problem, remedy: remedy)
  }

  /// `nil` for a list or a mapping.
  var scalar: Scalar? { if case .scalar(let scalar) = node { Scalar(scalar) } else { nil } }
  var isNull: Bool { scalar == .null }
  var isMapping: Bool { if case .mapping = node { true } else { false } }
  var isList: Bool { if case .sequence = node { true } else { false } }

  /// The text as written in the file, whatever its type.
  private var words: String { if case .scalar(let scalar) = node { scalar.string } else { "" } }

  func mismatch(_ expected: String, _ remedy: String? = nil) -> ManifestError {
    let found =
      switch node {
      case .mapping: "a mapping"
      case .sequence: "a list"
      case .alias: "an alias"
      case .scalar(let scalar): Scalar(scalar).description
      }
    return error("expected \(expected), found \(found)", remedy ?? templateRemedy)
  }

  /// What to do if the value is `{{ .Values.name }}`, which YAML reads as a mapping in a mapping. `nil` for others.
  private var templateRemedy: String? {
    guard case .mapping(let mapping) = node, let entry = mapping.first, case .mapping = entry.key else { return nil }
    return ForeignFile(template: subject.file)?.remedy ?? "render the template first (helm template)"
  }

  func string() throws(ManifestError) -> String {
    switch scalar {
    case .string(let text): return text
    case .bool, .integer, .decimal: throw mismatch("a string", "write \(words.quoted) with the quotes")
    case .null, nil: throw mismatch("a string")
    }
  }

  func bool() throws(ManifestError) -> Bool {
    guard case .bool(let value) = scalar else { throw mismatch("true or false") }
    return value
  }

  func integer() throws(ManifestError) -> Int {
    switch scalar {
    case .integer(let value): return value
    case .decimal(let value):
      guard let integer = Int(exactly: value) else { throw mismatch("an integer") }
      return integer
    case .string(let text) where Int(text) != nil:
      throw mismatch("an integer", "write \(text) without quotes")
    case .string, .bool, .null, nil: throw mismatch("an integer")
    }
  }

  /// The entries of a list. Empty if the value is null.
  func list() throws(ManifestError) -> [Field] {
    if isNull { return [] }
    guard case .sequence(let sequence) = node else { throw mismatch("a list") }
    return sequence.indices.map {
      Field(sequence[$0], path: "\(path)[\($0)]", subject: subject, keyLine: line)
    }
  }

  func strings() throws(ManifestError) -> [String] {
    try list().map { (field) throws(ManifestError) in try field.string() }
  }

  /// The fields of a mapping. Empty if the value is null.
  func fields() throws(ManifestError) -> Fields { try Fields(self) }
}
