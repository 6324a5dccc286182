internal import Manifests
public import Text

/// One step of the way to a value in an object.
public enum FieldStep: Hashable, Sendable {
  case field(String)
  /// To the entry of a list whose fields have these values.
  case entry([String: JSON])
  /// To a value of a list that is a set.
  case value(JSON)
  /// To an entry of a list that nothing else tells apart.
  case index(Int)

  /// As API servers write it in messages: `.image`, `[name="web"]`.
  public var text: String {
    switch self {
    case .field(let name): ".\(name)"
    case .entry(let keys):
      "[\(keys.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.text)" }.joined(separator: ","))]"
    case .value(let value): "[=\(value.text)]"
    case .index(let index): "[\(index)]"
    }
  }
}

/// Places in an object: those of the values that somebody owns.
public struct FieldSet: Hashable, Sendable {
  /// Whether the place itself belongs to the set.
  public internal(set) var isMember = false
  /// What belongs to it below. None is empty.
  public private(set) var below: [FieldStep: FieldSet] = [:]

  public init() {}

  public var isEmpty: Bool { !isMember && below.isEmpty }

  public internal(set) subscript(step: FieldStep) -> FieldSet {
    get { below[step] ?? FieldSet() }
    set { below[step] = newValue.isEmpty ? nil : newValue }
  }

  /// The members as API servers write them, sorted: `.spec.replicas`.
  public var paths: [String] {
    var paths: [String] = []
    collect(&paths, "")
    return paths.sorted()
  }

  private func collect(_ paths: inout [String], _ path: String) {
    if isMember { paths.append(path) }
    for (step, fields) in below { fields.collect(&paths, path + step.text) }
  }

  public func union(_ other: FieldSet) -> FieldSet {
    var result = self
    result.isMember = isMember || other.isMember
    for (step, fields) in other.below { result.below[step] = below[step]?.union(fields) ?? fields }
    return result
  }

  public func intersection(_ other: FieldSet) -> FieldSet {
    var result = FieldSet()
    result.isMember = isMember && other.isMember
    for (step, fields) in below {
      if let others = other.below[step] { result[step] = fields.intersection(others) }
    }
    return result
  }

  /// The members that are none of the other. A place below one that goes stays.
  public func subtracting(_ other: FieldSet) -> FieldSet {
    var result = self
    result.isMember = isMember && !other.isMember
    for (step, fields) in other.below {
      if let own = below[step] { result[step] = own.subtracting(fields) }
    }
    return result
  }
}

extension FieldSet {
  /// `FieldsV1` of `metadata.managedFields` (structured-merge-diff, `fieldpath/serialize.go`).
  public var fieldsV1: JSON {
    var fields: [String: JSON] = [:]
    // A member without members below is empty.
    if isMember, !below.isEmpty { fields["."] = .empty }
    for (step, set) in below { fields[step.key] = set.fieldsV1 }
    return .object(fields)
  }

  /// `nil` for what is no such set.
  public init?(fieldsV1 json: JSON) {
    self.init(fieldsV1: json, isRoot: true)
  }

  private init?(fieldsV1 json: JSON, isRoot: Bool) {
    guard case .object(let fields) = json else { return nil }
    isMember = fields.isEmpty ? !isRoot : fields["."] != nil
    for (key, value) in fields where key != "." {
      guard let step = FieldStep(key: key), let set = FieldSet(fieldsV1: value, isRoot: false) else { return nil }
      self[step] = set
    }
  }
}

extension FieldStep {
  /// `f:image`, `k:{"name":"web"}`, `v:"foregroundDeletion"`, `i:0`.
  fileprivate var key: String {
    switch self {
    case .field(let name): "f:\(name)"
    case .entry(let keys): "k:\(JSON.object(keys).text)"
    case .value(let value): "v:\(value.text)"
    case .index(let index): "i:\(index)"
    }
  }

  fileprivate init?(key: String) {
    let text = String(key.dropFirst(2))
    switch key.prefix(2) {
    case "f:": self = .field(text)
    case "k:":
      guard case .object(let keys)? = Self.json(text) else { return nil }
      self = .entry(keys)
    case "v:":
      guard let value = Self.json(text) else { return nil }
      self = .value(value)
    case "i:":
      guard let index = Int(text) else { return nil }
      self = .index(index)
    default: return nil
    }
  }

  private static func json(_ text: String) -> JSON? { try? JSON(reading: text, named: "managedFields") }
}
