import ArgumentParser
import Glibc
import NetpolModel

/// From the arguments to the exit code.
enum Program {
  /// Parses the arguments, runs the command and ends the process.
  static func run() -> Never {
    do {
      Terminal.reserveStandardStreams()
      var command = try NetpolLab.parseAsRoot()
      try command.run()
      exit(ExitStatus.asExpected.rawValue)
    } catch let code as ExitCode {
      exit(code.rawValue)
    } catch let error as any UserFacingError {
      end(error.exitStatus, error.message(from: name))
    } catch let error where isUsage(error) {
      endWithUsage(error)
    } catch {
      end(.machine, "\(name): \(error)")
    }
  }

  private static let name = "netpol-lab \(version)"

  private static func isUsage(_ error: any Error) -> Bool {
    let code = NetpolLab.exitCode(for: error)
    return code == .success || code == .validationFailure
  }

  /// Help that was asked for is output, and all else of the kind is bad input.
  private static func endWithUsage(_ error: any Error) -> Never {
    let text = NetpolLab.fullMessage(for: error)
    guard NetpolLab.exitCode(for: error) == .success else { end(.badInput, text) }
    do throws(OutputError) { try Terminal.print(text + "\n") } catch {
      end(error.exitStatus, error.message(from: name))
    }
    exit(ExitStatus.asExpected.rawValue)
  }

  private static func end(_ status: ExitStatus, _ message: String) -> Never {
    Terminal.say(message)
    exit(status.rawValue)
  }
}

extension ExitCode {
  /// The report has said what was found.
  static let finding = ExitCode(ExitStatus.finding.rawValue)
}
