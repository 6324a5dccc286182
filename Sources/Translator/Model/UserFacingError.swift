/// How the program ends; the raw value is its exit code.
public enum ExitStatus: Int32, Hashable, Sendable {
  case asExpected = 0
  /// Engines disagree, or something is not as it should be.
  case finding = 1
  /// Arguments or files that can't be used: the same on any machine.
  case badInput = 2
  /// This machine can't do it.
  case machine = 3
}

/// An error that is written for the user, and knows how the program ends with it. All others are between the lab and the
/// machine.
public protocol UserFacingError: Error, CustomStringConvertible {
  var exitStatus: ExitStatus { get }

  /// What standard error says at the end; `program` is its name and version.
  func message(from program: String) -> String
}

extension UserFacingError {
  /// Bad input is told as it is. What a machine can't do may be another version's fault.
  public func message(from program: String) -> String {
    exitStatus == .machine ? "\(program): \(self)" : description
  }
}
