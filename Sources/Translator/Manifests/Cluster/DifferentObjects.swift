internal import NetpolModel
internal import OrderedCollections

/// Objects that the input gives several times with different contents, and where. The last one counts.
struct DifferentObjects {
  private var places: OrderedDictionary<ObjectKey, [SourceLocation]> = [:]

  mutating func note(_ key: ObjectKey, first: SourceLocation, then last: SourceLocation) {
    places[key, default: [first]].append(last)
  }

  /// One warning.
  var notes: [Note] {
    if places.isEmpty { return [] }
    let finds = places.map { key, places in "\(key) (\(Self.text(places)))" }
    return [
      Note(
        .warning,
        "given more than once with different contents, the last counts as with kubectl apply: \(finds.abridged())")
    ]
  }

  /// The first places and always the last.
  private static func text(_ places: [SourceLocation]) -> String {
    let texts = places.map(\.description)
    guard let last = texts.last, texts.count > 3 else { return texts.joined(separator: ", ") }
    return "\(texts[0]), \(texts.count - 2) more, \(last)"
  }
}
