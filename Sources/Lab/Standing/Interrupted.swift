public import NetpolModel

/// A bench was ended before there was anything to tell.
public struct Interrupted: UserFacingError {
  public init() {}
  public var exitStatus: ExitStatus { .machine }
  public var description: String { "interrupted before enough was measured to tell anything" }
}
