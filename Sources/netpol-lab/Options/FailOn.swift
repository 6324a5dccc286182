import ArgumentParser
import Documents

/// From which severity on something that was found is a failure.
enum FailOn: String, CaseIterable, ExpressibleByArgument {
  case error, warning, never

  /// Ends the command with exit code 1 if something in the document is that severe. `isAsExpected`: whether it has no
  /// errors.
  func check(_ document: Document, isAsExpected: Bool) throws(ExitCode) {
    switch self {
    case .never: return
    case .error: if isAsExpected { return }
    case .warning: if isAsExpected, !document.has(atLeast: .warning) { return }
    }
    throw ExitCode.finding
  }
}

/// The option of every command that finds things.
struct FailOnOption: ParsableArguments {
  @Option(help: "Exit code 1 from this severity on. With never it is 0, whatever is found.")
  var failOn = FailOn.error
}
