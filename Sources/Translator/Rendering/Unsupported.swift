/// Thrown by a renderer if its language can't express a part of the rules.
public struct Unsupported: Error, Hashable, Sendable, CustomStringConvertible {
  public let node: String
  public let language: String
  public init(_ node: String, in language: String) {
    self.node = node
    self.language = language
  }
  public var description: String { "\(language) cannot express \(node)" }
}
