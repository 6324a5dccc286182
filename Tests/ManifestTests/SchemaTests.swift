// Not covered: whether the schema is the one of every Kubernetes release. It is the one of fields.json.
import Foundation
import TestSupport
import Testing
import Yams

@testable import Manifests

/// `Tests/Fixtures/schema/fields.json`.
private struct FieldsFile {
  let kinds: [String: String]
  let types: [String: [String: Any]]
  let required: [String: [String]]

  init() throws {
    let text = try String(
      contentsOf: repository.appendingPathComponent("Tests/Fixtures/schema/fields.json"), encoding: .utf8)
    let root = try #require(try Yams.load(yaml: text) as? [String: Any])
    kinds = try #require(root["kinds"] as? [String: String])
    types = try #require(root["types"] as? [String: [String: Any]])
    required = try #require(root["required"] as? [String: [String]])
  }

  /// A type in the notation of `SchemaText.swift`.
  static func notation(_ type: Any) -> String {
    guard let parts = type as? [String: Any] else {
      let name = type as? String ?? "?"
      return ["integer": "int", "boolean": "bool"][name] ?? name
    }
    if let element = parts["list"] { return "[\(notation(element))]" }
    return "{\(notation(parts["map"] ?? "?"))}"
  }

  /// The contents of `SchemaText.swift`.
  var swiftText: String {
    func lines(_ words: [String]) -> String {
      var lines = [""]
      for word in words {
        if !lines[lines.count - 1].isEmpty, lines[lines.count - 1].count + 1 + word.count > 118 { lines.append("") }
        lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
      }
      return lines.map { "  \($0)\n" }.joined()
    }
    let typeWords = types.sorted { $0.key < $1.key }.flatMap { name, fields in
      ["\(name):"]
        + fields.sorted { $0.key < $1.key }.map { field, type in
          let notation = Self.notation(type)
          return field + (required[name]?.contains(field) == true ? "!" : "")
            + (notation == "string" ? "" : "=\(notation)")
        }
    }
    return """
      // Made from Tests/Fixtures/schema/fields.json by SchemaTests, which fails if the two differ.

      /// The kinds of `APISchema`: `group/version/Kind`, or `version/Kind` in the core group. A kind is also a type.
      let schemaKinds = \"""
      \(lines(kinds.keys.sorted().map { $0.replacing(" ", with: "/") }))  \"""

      /// The types of `APISchema`: `Type:` and then its fields, each as `name` or `name=type`. Without a type the field is a
      /// string. `!` marks a field that the API server requires. `[T]` is a list, `{T}` a map with string keys.
      let schemaTypes = \"""
      \(lines(typeWords))  \"""

      """
  }
}

@Suite struct SchemaTests {
  @Test("the program's schema is the one of fields.json")
  func text() throws {
    let path = "Sources/Translator/Manifests/Schema/SchemaText.swift"
    let right = try FieldsFile().swiftText
    if try String(contentsOf: repository.appendingPathComponent(path), encoding: .utf8) == right { return }
    let new = FileManager.default.temporaryDirectory.appendingPathComponent("SchemaText.swift")
    try right.write(to: new, atomically: true, encoding: .utf8)
    Issue.record("\(path) is out of date; copy \(new.path) over it")
  }

  /// A type of the schema as fields.json has it, in the short notation.
  private func notation(_ type: APISchema.FieldType) -> String {
    switch type {
    case .string: "string"
    case .integer: "int"
    case .boolean: "bool"
    case .time: "time"
    case .quantity: "quantity"
    case .any: "any"
    case .object(let index): APISchema.current.types[index].name
    case .list(let element): "[\(notation(element))]"
    case .map(let element): "{\(notation(element))}"
    }
  }

  @Test("every kind, field and type of fields.json is read from the text")
  func values() throws {
    let file = try FieldsFile()
    let schema = APISchema.current
    #expect(schema.types.map(\.name) == file.types.keys.sorted())
    for type in schema.types {
      let fields = try #require(file.types[type.name])
      #expect(type.fields.mapValues { notation($0.type) } == fields.mapValues(FieldsFile.notation), "\(type.name)")
      // An object needs a spec if the spec needs a field. fields.json doesn't say that.
      let required = (file.required[type.name] ?? []).sorted() + (APISchema.requiredByValidation[type.name] ?? [])
      #expect(type.required.filter { $0 != "spec" } == required, "\(type.name)")
      #expect(Set(type.fields.values.map(\.bit).filter { $0 != 0 }).count == type.required.count, "\(type.name)")
    }
    for (kind, type) in file.kinds {
      let words = kind.split(separator: " ").map(String.init)
      #expect(schema.type(of: words[1], words[0]).map { schema.types[$0].name } == type)
    }
    #expect(schema.type(of: "Pod", "v2") == nil)
  }

  @Test("every field whose values are listed is a text of the schema")
  func listedValues() {
    for field in APISchema.values.keys {
      let parts = field.split(separator: ".").map(String.init)
      let type = APISchema.current.types.first { $0.name == parts[0] }
      #expect(type?.fields[parts[1]]?.type == .string, "\(field)")
      #expect(type?.fields[parts[1]]?.values?.isEmpty == false, "\(field)")
    }
    #expect(APISchema.current.podTemplate != nil)
  }

  @Test(
    "a time is RFC 3339",
    arguments: [
      ("2026-01-31T12:00:00Z", true), ("2026-01-31T12:00:00.123456Z", true), ("2026-01-31T12:00:00+01:00", true),
      ("2026-01-31", false), ("2026-01-31 12:00:00Z", false), ("2026-13-31T12:00:00Z", false),
      ("2026-01-31T24:00:00Z", false), ("2026-01-31T12:00:00", false), ("2026-01-31T12:00:00.Z", false),
      ("2026-01-31T12:00:00+01", false), ("2026-01-31T12:60:00Z", false), ("yesterday", false), ("", false),
    ])
  func times(text: String, isTime: Bool) { #expect(ScalarSyntax.isTime(text) == isTime) }

  @Test(
    "a quantity is a number with or without a suffix",
    arguments: [
      ("1", true), ("0.5", true), (".5", true), ("5.", true), ("100m", true), ("1Gi", true), ("1e3", true),
      ("1E-3", true), ("-1", true), ("1E", true), ("1gi", false), ("1 Gi", false), ("1KB", false), ("", false),
      ("Gi", false), ("1.2.3", false), ("1e", false), ("1e3Gi", false),
    ])
  func quantities(text: String, isQuantity: Bool) { #expect(ScalarSyntax.isQuantity(text) == isQuantity) }
}
