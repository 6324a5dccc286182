public import NetpolModel

/// A run that gave no verdict: why, and with what.
public struct LabFailure: UserFacingError {
  public let environment: LabEnvironment
  public let error: any Error
  public var description: String { "\(error)\n\(environment.text)" }

  /// Input that only a lab finds to be bad stays bad input.
  public var exitStatus: ExitStatus {
    (error as? any UserFacingError)?.exitStatus == .badInput ? .badInput : .machine
  }

  /// The environment names the program and its version.
  public func message(from program: String) -> String { description }
}
