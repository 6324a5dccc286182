public import NetpolModel

/// A run that gave no verdict, with the reason and the environment.
public struct LabFailure: UserFacingError {
  public let environment: LabEnvironment
  public let error: any Error
  public var description: String { "\(error)\n\(environment.text)" }

  /// Bad input that only a lab detects still counts as bad input.
  public var exitStatus: ExitStatus {
    (error as? any UserFacingError)?.exitStatus == .badInput ? .badInput : .machine
  }

  /// The environment already names the program and its version.
  public func message(from program: String) -> String { description }
}
