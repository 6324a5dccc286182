public import NetpolModel

/// A bench that was interrupted before it had a result.
public struct Interrupted: UserFacingError {
  public init() {}
  public var exitStatus: ExitStatus { .machine }
  public var description: String { "interrupted before enough was measured for a result" }
}
