/// How a program ended.
public enum CommandEnding: Hashable, Sendable {
  case exited(Int32)
  case signalled(Int32)
  /// It was killed after its timeout.
  case timedOut
}

extension CommandEnding: CustomStringConvertible {
  public var description: String {
    switch self {
    case .exited(let status): "exit status \(status)"
    case .signalled(let signal): "killed by signal \(signal)"
    case .timedOut: "killed after its timeout"
    }
  }
}

/// The result of a program: its ending and all of its output.
public struct CommandResult: Hashable, Sendable {
  public let arguments: [String]
  public let ending: CommandEnding
  public let stdout: [UInt8]
  public let stderr: [UInt8]
  public let duration: Duration

  public var succeeded: Bool { ending == .exited(0) }
  /// Standard output as text.
  public var text: String { String(decoding: stdout, as: UTF8.self) }

  /// Returns this result if the program exited with 0. Throws `CommandFailure` otherwise.
  @discardableResult
  public func requireSuccess() throws(CommandFailure) -> CommandResult {
    guard succeeded else {
      throw CommandFailure(arguments: arguments, ending: ending, stderr: String(decoding: stderr, as: UTF8.self))
    }
    return self
  }
}

/// A program that didn't exit with 0.
public struct CommandFailure: Error, Hashable, Sendable {
  public let arguments: [String]
  public let ending: CommandEnding
  public let stderr: String
}

extension CommandFailure: CustomStringConvertible {
  public var description: String {
    var said = stderr[...]
    while said.last?.isNewline == true { said.removeLast() }
    return "\(arguments.joined(separator: " ")): \(ending)" + (said.isEmpty ? "" : ": \(said)")
  }
}
