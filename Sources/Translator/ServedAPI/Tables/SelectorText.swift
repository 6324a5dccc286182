internal import Text

/// Label selectors as kubectl prints them (`metav1.FormatLabelSelector`, `labels.Requirement.String`).
enum SelectorText {
  /// A `metav1.LabelSelector`: `app=web,tier in (a,b),!old`, by keys. Empty if it selects everything, or isn't there.
  static func requirements(_ selector: JSON?) -> String {
    var terms = (selector?["matchLabels"]?.strings ?? [:]).map { (key: $0.key, text: "\($0.key)=\($0.value)") }
    for expression in selector?["matchExpressions"]?.array ?? [] {
      let key = expression["key"]?.string ?? ""
      let values = "(\(expression["values"]?.array.compactMap(\.string).sorted().joined(separator: ",") ?? ""))"
      let text =
        switch expression["operator"]?.string {
        case "In": "\(key) in \(values)"
        case "NotIn": "\(key) notin \(values)"
        case "Exists": key
        case "DoesNotExist": "!\(key)"
        default: "<error>"
        }
      terms.append((key, text))
    }
    return terms.sorted { ($0.key, $0.text) < ($1.key, $1.text) }.map(\.text).joined(separator: ",")
  }

  static func selector(_ selector: JSON?) -> String { orNone(requirements(selector)) }

  /// A map of labels (`labels.FormatLabels`).
  static func labels(_ labels: JSON?) -> String { orNone(requirements(["matchLabels": labels ?? .null])) }

  private static func orNone(_ text: String) -> String { text.isEmpty ? "<none>" : text }
}
