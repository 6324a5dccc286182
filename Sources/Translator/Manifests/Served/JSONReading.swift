internal import NetpolModel
public import Text
internal import Yams

extension JSON {
  /// Reads one JSON or YAML document, as kubectl and API servers do. Throws for what is neither, for a key that is in an
  /// object twice, and for several documents.
  public init(reading text: String, named name: String) throws(ManifestError) {
    var documents = try Documents(ManifestSource(name: name, text: text).normalized())
    guard let root = try documents.next() else {
      throw ManifestError(
        location: SourceLocation(file: name, line: 1), problem: "is empty", remedy: "give an object")
    }
    // A few lines with aliases could hold billions of values.
    var budget = text.utf8.count + 10_000
    self = try JSON(Field(root, path: "", subject: Subject(file: name)), &budget)
    if try documents.next() != nil {
      throw ManifestError(
        location: SourceLocation(file: name, line: 1), problem: "holds several documents", remedy: "give one at a time")
    }
  }

  /// A value of a document. YAML's merges are done. Takes the number of values from `budget`, and throws if it is over.
  init(_ field: Field, _ budget: inout Int) throws(ManifestError) {
    budget -= 1
    if budget < 0 { throw field.tooManyValues }
    if let scalar = field.scalar {
      self = JSON(scalar)
    } else if field.isList {
      var values: [JSON] = []
      for entry in try field.list() { values.append(try JSON(entry, &budget)) }
      self = .array(values)
    } else {
      var fields: [String: JSON] = [:]
      for (name, field) in try field.fields() { fields[name] = try JSON(field, &budget) }
      self = .object(fields)
    }
  }

  private init(_ scalar: Scalar) {
    self =
      switch scalar {
      case .null: .null
      case .bool(let value): .bool(value)
      case .integer(let value): .integer(value)
      case .decimal(let value): Int(exactly: value).map(JSON.integer) ?? .decimal(value)
      case .string(let text): .string(text)
      }
  }
}
