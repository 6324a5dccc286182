internal import Text

/// A message for the user that stops nothing.
public struct Note: Hashable, Sendable {
  public enum Severity: String, Hashable, Sendable, CaseIterable {
    /// An assumption of the reader.
    case note
    /// Something that may make a verdict differ from the real cluster's.
    case warning
  }
  public let severity: Severity
  public let text: String
  public init(_ severity: Severity, _ text: String) {
    self.severity = severity
    self.text = text.cut(to: 900).onOneLine
  }
}
