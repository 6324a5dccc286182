/// How the program ends. The raw value is its exit code.
public enum ExitStatus: Int32, Hashable, Sendable {
  case asExpected = 0
  /// The engines disagree, or some other check failed.
  case finding = 1
  /// Unusable arguments or files. The result is the same on any machine.
  case badInput = 2
  /// This machine can't run it.
  case machine = 3
}

/// An error with a message for the user and the exit status that the program ends with. All other errors are problems
/// between the lab and the machine.
public protocol UserFacingError: Error, CustomStringConvertible {
  var exitStatus: ExitStatus { get }

  /// The last message on standard error. `program` is the program's name and version.
  func message(from program: String) -> String
}

extension UserFacingError {
  /// Bad input is reported as it is. A machine error also names the program's version, which may be the cause.
  public func message(from program: String) -> String {
    exitStatus == .machine ? "\(program): \(self)" : description
  }
}
