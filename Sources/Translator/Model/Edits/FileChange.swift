/// A file of the input before and after a change.
public struct FileChange: Hashable, Sendable {
  /// As the user named it.
  public let name: String
  public let before: String
  public let after: String

  public init(name: String, before: String, after: String) {
    self.name = name
    self.before = before
    self.after = after
  }
}
