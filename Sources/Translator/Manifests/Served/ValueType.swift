/// What the API's schema says a value is, for who walks through objects.
public struct ValueType: Hashable, Sendable {
  public enum Shape: Hashable, Sendable {
    case object, map, list
    case string, integer, boolean
    /// RFC 3339 text.
    case time
    /// Text such as `100m`. A number is taken for its text.
    case quantity
    /// A string or an integer, or anything where the API says so.
    case any
  }

  private let type: APISchema.FieldType

  private init(_ type: APISchema.FieldType) { self.type = type }

  /// An object of a kind. `nil` for a kind that the schema doesn't have. `apiVersion`: `v1`, `apps/v1`.
  public init?(kind: String, apiVersion: String) {
    guard let index = APISchema.served.type(of: kind, apiVersion) else { return nil }
    type = .object(index)
  }

  public var shape: Shape {
    switch type {
    case .object: .object
    case .map: .map
    case .list: .list
    case .string: .string
    case .integer: .integer
    case .boolean: .boolean
    case .time: .time
    case .quantity: .quantity
    case .any: .any
    }
  }

  /// The name of an object's type: `PodSpec`. `nil` for anything else.
  public var name: String? { if case .object(let index) = type { APISchema.served.types[index].name } else { nil } }

  /// A field of an object, or any entry of a map. `nil` if the object has no such field.
  public func field(_ name: String) -> ValueType? {
    switch type {
    case .object(let index): APISchema.served.types[index].fields[name].map { ValueType($0.type) }
    case .map(let element): ValueType(element)
    default: nil
    }
  }

  /// The names of an object's fields. Empty for anything else.
  public var fieldNames: [String] {
    if case .object(let index) = type { APISchema.served.types[index].fields.keys.sorted() } else { [] }
  }

  /// An entry of a list. `nil` for anything else.
  public var element: ValueType? { if case .list(let element) = type { ValueType(element) } else { nil } }
}

extension ValueType.Shape {
  /// Whether it holds no other values.
  public var isScalar: Bool { ![.object, .map, .list].contains(self) }
}
