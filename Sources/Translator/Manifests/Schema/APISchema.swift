/// What the API's objects may hold: the fields of each type, of one Kubernetes release.
struct APISchema: Sendable {
  enum FieldType: Hashable, Sendable {
    case string, integer, boolean
    /// RFC 3339 text.
    case time
    /// A `resource.Quantity`: a number, or text such as `100m` or `1Gi`.
    case quantity
    /// A string or an integer, or a mapping where the API says so.
    case any
    /// The type with this index in `types`.
    case object(Int)
    indirect case list(FieldType)
    indirect case map(FieldType)
  }

  struct Member: Hashable, Sendable {
    let type: FieldType
    /// The field's bit in `ObjectType.needs`. 0 if the object may lack the field.
    fileprivate(set) var bit: UInt32 = 0
    /// The only values that the field may have. `nil` if any may be.
    fileprivate(set) var values: [String]?
  }

  struct ObjectType: Sendable {
    let name: String
    fileprivate(set) var fields: [String: Member] = [:]
    /// The fields that the API server requires. `fields` gives each a bit.
    fileprivate(set) var required: [String] = []
    /// All bits of the required fields.
    var needs: UInt32 { (1 << UInt32(required.count)) - 1 }

    fileprivate mutating func require(_ name: String) {
      fields[name]?.bit = 1 << UInt32(required.count)
      required.append(name)
    }
  }

  private(set) var types: [ObjectType] = []
  /// The index of each kind's type by apiVersion and kind, joined with a slash.
  private let kinds: [String: Int]

  static let current = APISchema(kinds: schemaKinds, types: schemaTypes)

  /// Reads the notation of `SchemaText.swift`. A test shows that each type that it names exists.
  init(kinds: String, types text: String) {
    let words = text.split(whereSeparator: \.isWhitespace)
    var indices: [Substring: Int] = [:]
    for word in words where word.last == ":" {
      indices[word.dropLast()] = types.count
      types.append(ObjectType(name: String(word.dropLast())))
    }
    var index = -1
    for word in words {
      if word.last == ":" {
        index += 1
        continue
      }
      let parts = word.split(separator: "=", maxSplits: 1)
      guard types.indices.contains(index), let first = parts.first else { continue }
      let name = first.last == "!" ? first.dropLast() : first
      var member = Member(type: FieldType(parts.count > 1 ? parts[1] : "string", indices))
      member.values = Self.values["\(types[index].name).\(name)"]
      types[index].fields[String(name)] = member
      if first.last == "!" { types[index].require(String(name)) }
    }
    for index in types.indices {
      for name in Self.requiredByValidation[types[index].name] ?? [] { types[index].require(name) }
    }
    // Without a spec, the fields that the spec requires are missing.
    for index in types.indices {
      if case .object(let spec) = types[index].fields["spec"]?.type, !types[spec].required.isEmpty {
        types[index].require("spec")
      }
    }
    self.kinds = Dictionary(
      kinds.split(whereSeparator: \.isWhitespace).compactMap { kind in
        kind.split(separator: "/").last.flatMap { indices[$0] }.map { (String(kind), $0) }
      }, uniquingKeysWith: { first, _ in first })
  }

  /// The index of a kind's type. `nil` for a kind that the schema doesn't have.
  func type(of kind: String, _ apiVersion: String) -> Int? { kinds["\(apiVersion)/\(kind)"] }

  /// The index of the type of a pod template.
  var podTemplate: Int? { types.firstIndex { $0.name == "PodTemplateSpec" } }

  /// Where a field belongs that its own object doesn't have: the shortest path to it below the object, through no list
  /// and at most four objects. `nil` if there is none.
  func path(to name: String, below index: Int) -> String? {
    var level = [(path: "", index: index)]
    for _ in 0..<4 {
      let next = level.flatMap { place in
        types[place.index].fields.sorted { $0.key < $1.key }.compactMap { key, field in
          if case .object(let inner) = field.type, key != "status" { (place.path + key + ".", inner) } else { nil }
        }
      }
      if let place = next.first(where: { types[$0.1].fields[name] != nil }) { return place.0 + name }
      level = next.map { (path: $0.0, index: $0.1) }
    }
    return nil
  }
}

extension APISchema.FieldType {
  fileprivate init(_ text: Substring, _ types: [Substring: Int]) {
    self =
      switch text.first {
      case "[": .list(APISchema.FieldType(text.dropFirst().dropLast(), types))
      case "{": .map(APISchema.FieldType(text.dropFirst().dropLast(), types))
      default:
        switch text {
        case "string": .string
        case "int": .integer
        case "bool": .boolean
        case "time": .time
        case "quantity": .quantity
        default: types[text].map { .object($0) } ?? .any
        }
      }
  }
}
