internal import NetpolModel
internal import OrderedCollections

/// Objects that the input gives several times with different contents, and where.
struct DifferentObjects {
  /// Why one of them counts.
  enum Rule: String, CaseIterable {
    case last = "the last counts as with kubectl apply"
    case newest = "the highest resourceVersion counts"
  }

  private var places: [Rule: OrderedDictionary<ObjectKey, [SourceLocation]>] = [:]

  mutating func note(_ key: ObjectKey, _ rule: Rule, first: SourceLocation, then last: SourceLocation) {
    places[rule, default: [:]][key, default: [first]].append(last)
  }

  /// One warning for each rule.
  var notes: [Note] {
    Rule.allCases.compactMap { rule in
      guard let found = places[rule] else { return nil }
      let finds = found.map { key, places in "\(key) (\(Self.text(places)))" }
      return Note(
        .warning, "given more than once with different contents, \(rule.rawValue): \(finds.abridged())")
    }
  }

  /// The first places and always the last.
  private static func text(_ places: [SourceLocation]) -> String {
    let texts = places.map(\.description)
    guard let last = texts.last, texts.count > 3 else { return texts.joined(separator: ", ") }
    return "\(texts[0]), \(texts.count - 2) more, \(last)"
  }
}
