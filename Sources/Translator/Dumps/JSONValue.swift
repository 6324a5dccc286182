/// A JSON value. Numbers are kept as text, because nft prints integers.
enum JSONValue: Equatable {
  case null
  case bool(Bool)
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  subscript(key: String) -> JSONValue? {
    guard case .object(let fields) = self else { return nil }
    return fields[key]
  }

  var string: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }

  /// A string, or the text of a number.
  var word: String? {
    switch self {
    case .string(let text), .number(let text): text
    default: nil
    }
  }

  var array: [JSONValue]? {
    guard case .array(let values) = self else { return nil }
    return values
  }

  /// The field of an object that has only one.
  var single: (key: String, value: JSONValue)? {
    guard case .object(let fields) = self, fields.count == 1, let field = fields.first else { return nil }
    return (field.key, field.value)
  }
}
