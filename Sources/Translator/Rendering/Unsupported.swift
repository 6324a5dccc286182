public import NetpolModel

/// Thrown by a renderer if its language can't express a part of the rules.
public struct Unsupported: UserFacingError, Hashable, Sendable {
  public let node: String
  public let language: String
  public init(_ node: String, in language: String) {
    self.node = node
    self.language = language
  }
  public var exitStatus: ExitStatus { .badInput }
  public var description: String { "\(language) cannot express \(node)" }
}
