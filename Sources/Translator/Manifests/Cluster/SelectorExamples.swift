internal import Algorithms
internal import NetpolModel

extension LabelSelector {
  /// Labels that the selector matches, as few as possible. `nil` if no labels do.
  var example: Labels? {
    var labels: Labels = [:]
    for key in keys {
      let values = named(key) + [nil] + Self.others(than: named(key))
      guard let value = values.first(where: { isMet(key, $0) }) else { return nil }
      labels[key] = value
    }
    return matches(labels) ? labels : nil
  }

  /// Labels that differ from `example` in one label, and that the selector doesn't match. `nil` if there are none.
  var counterexample: Labels? {
    guard let example else { return nil }
    for key in keys {
      let values = named(key) + Self.others(than: named(key)) + [nil]
      guard let value = values.first(where: { !isMet(key, $0) }) else { continue }
      var labels = example
      labels[key] = value
      return labels
    }
    return nil
  }

  /// The selector as a part of a DNS name: `app-web`, `has-tier`, `app-not-web`.
  var slug: String {
    let labels = matchLabels.sorted { $0.key < $1.key }.map { Self.word($0.key, $0.value) }
    let text = (labels + matchExpressions.map(\.slug)).joined(separator: "-").lowercased()
    let kept = text.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
    let short = String(kept.prefix(40)).split(separator: "-").joined(separator: "-")
    return short.isEmpty ? "labels" : short
  }

  /// In the order in which they are written, those of `matchLabels` sorted.
  private var keys: [String] { (matchLabels.keys.sorted() + matchExpressions.map(\.key)).uniqued().map(\.self) }

  /// Whether the selector mentions this value of a label.
  func mentions(_ value: String, of key: String) -> Bool { named(key).contains(value) }

  private func named(_ key: String) -> [String?] {
    [matchLabels[key]].compacted() + matchExpressions.filter { $0.key == key }.flatMap(\.values)
  }

  /// Whether all requirements on a label are met by a value.
  private func isMet(_ key: String, _ value: String?) -> Bool {
    let labels = value.map { [key: $0] } ?? [:]
    return (matchLabels[key].map { $0 == value } ?? true)
      && matchExpressions.allSatisfy { $0.key != key || $0.matches(labels) }
  }

  /// Values that are none of these, such as `not-web`. More of them than there are values.
  private static func others(than named: [String?]) -> [String?] {
    let negated = named.compacted().map { value in
      let text = "not-\(value)".prefix(63)
      return String(text.reversed().drop { !$0.isLetter && !$0.isNumber }.reversed())
    }
    return negated + ["any"] + (0...named.count).map { "any-\($0)" }
  }

  /// The name of a namespace tells its label.
  fileprivate static func word(_ key: String, _ value: String) -> String {
    let name = key.split(separator: "/").last.map(String.init) ?? key
    return key == Namespace.nameLabel ? value : value.isEmpty ? name : "\(name)-\(value)"
  }
}

extension LabelSelector.Expression {
  fileprivate var slug: String {
    let name = key.split(separator: "/").last.map(String.init) ?? key
    return switch `operator` {
    case .in: LabelSelector.word(key, values.first ?? "")
    case .notIn: "\(name)-not-\(values.first ?? "")"
    case .exists: "has-\(name)"
    case .doesNotExist: "no-\(name)"
    }
  }
}

extension Namespace {
  static let nameLabel = "kubernetes.io/metadata.name"
}
