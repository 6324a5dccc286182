/// A selection that leaves no flow.
public struct NothingToAsk: Error, CustomStringConvertible {
  public let description: String
  public init(description: String) { self.description = description }
}
