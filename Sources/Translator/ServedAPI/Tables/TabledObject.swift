internal import Text

/// An object whose cells are to be written, and when.
struct TabledObject: Sendable {
  let json: JSON
  /// In seconds since 1970.
  let now: Int

  /// The text in a field. Empty if there is none.
  func text(_ path: String...) -> String { json[path]?.string ?? "" }
  /// The same, with another text for an empty one.
  func text(_ path: String..., otherwise: String) -> String {
    guard let text = json[path]?.string, !text.isEmpty else { return otherwise }
    return text
  }
  func number(_ path: String...) -> Int { json[path]?.integer ?? 0 }
  func values(_ path: String...) -> [JSON] { json[path]?.array ?? [] }

  var isBeingDeleted: Bool { json[["metadata", "deletionTimestamp"]]?.string != nil }

  /// The time since the one in a field.
  func age(_ path: String...) -> String { age(of: json[path]) }

  func age(of time: JSON?) -> String {
    guard let since = time?.string.flatMap(RFC3339.seconds) else { return "<unknown>" }
    return humanDuration(now - since)
  }
}

extension [String] {
  /// The first three, and how many more there are.
  var firstThree: String {
    let text = prefix(3).joined(separator: ",")
    return count > 3 ? "\(text) + \(count - 3) more..." : text
  }
}
