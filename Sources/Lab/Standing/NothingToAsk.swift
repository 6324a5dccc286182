public import NetpolModel

/// A selection that matches no flow.
public struct NothingToAsk: UserFacingError {
  public let description: String
  public init(description: String) { self.description = description }
  public var exitStatus: ExitStatus { .badInput }
}
