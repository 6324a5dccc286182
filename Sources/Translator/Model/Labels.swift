public typealias Labels = [String: String]

/// `metav1.LabelSelector`. All requirements must hold. A selector without requirements matches everything.
public struct LabelSelector: Hashable, Sendable {
  public enum Operator: String, Hashable, Sendable, CaseIterable {
    case `in` = "In"
    case notIn = "NotIn"
    case exists = "Exists"
    case doesNotExist = "DoesNotExist"
  }

  public struct Expression: Hashable, Sendable {
    public let key: String
    public let `operator`: Operator
    public let values: [String]

    public init(key: String, operator: Operator, values: [String] = []) {
      self.key = key
      self.operator = `operator`
      self.values = values
    }

    /// A missing key satisfies NotIn, as in apimachinery's `labels.Requirement`.
    public func matches(_ labels: Labels) -> Bool {
      switch `operator` {
      case .in: labels[key].map(values.contains) ?? false
      case .notIn: !(labels[key].map(values.contains) ?? false)
      case .exists: labels[key] != nil
      case .doesNotExist: labels[key] == nil
      }
    }
  }

  public let matchLabels: Labels
  public let matchExpressions: [Expression]

  public init(matchLabels: Labels = [:], matchExpressions: [Expression] = []) {
    self.matchLabels = matchLabels
    self.matchExpressions = matchExpressions
  }

  public static let everything = LabelSelector()
  public var isEverything: Bool { matchLabels.isEmpty && matchExpressions.isEmpty }

  public func matches(_ labels: Labels) -> Bool {
    matchLabels.allSatisfy { labels[$0.key] == $0.value } && matchExpressions.allSatisfy { $0.matches(labels) }
  }
}

extension LabelSelector.Expression {
  /// `app=web`, `app in (web, api)`, `app not in (web)`, `app`, `!app`.
  package var text: String {
    let list = values.map { $0.count > 80 ? "\($0.prefix(77))..." : $0 }.abridged(to: 4)
    return switch `operator` {
    case .in: values.count == 1 ? "\(key)=\(list)" : "\(key) in (\(list))"
    case .notIn: "\(key) not in (\(list))"
    case .exists: key
    case .doesNotExist: "!\(key)"
    }
  }
}
