internal import Text

/// A remark for the user that stops nothing.
public struct Note: Hashable, Sendable {
  public enum Severity: String, Hashable, Sendable, CaseIterable {
    /// What the reader assumed.
    case note
    /// What may make a verdict differ from the cluster's.
    case warning
  }
  public let severity: Severity
  public let text: String
  public init(_ severity: Severity, _ text: String) {
    self.severity = severity
    self.text = text.onOneLine
  }
}
