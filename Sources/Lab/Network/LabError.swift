public import NetpolModel

/// Something that the lab can't do on this machine, or that isn't as it should be.
public struct LabError: UserFacingError {
  public let description: String
  public init(_ description: String) { self.description = description }
  public var exitStatus: ExitStatus { .machine }
}
