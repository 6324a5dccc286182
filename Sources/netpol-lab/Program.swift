import ArgumentParser
import Glibc
import Kernel
import NetpolModel
import Text

/// From the arguments to the exit code.
enum Program {
  /// Parses the arguments, runs the command and ends the process.
  static func run() -> Never {
    do {
      Terminal.reserveStandardStreams()
      startThreadsOnlyWithRights()
      var command = try NetpolLab.parseAsRoot(processArguments)
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

  /// Help that the user asked for goes to standard output. Any other usage error is bad input, in one line.
  private static func endWithUsage(_ error: any Error) -> Never {
    guard NetpolLab.exitCode(for: error) == .success else {
      end(.badInput, NetpolLab.message(for: error).split(separator: "\n").joined(separator: " ").cut(to: 900))
    }
    do throws(OutputError) { try Terminal.print(NetpolLab.fullMessage(for: error) + "\n") } catch {
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
  /// The report says what was found.
  static let finding = ExitCode(ExitStatus.finding.rawValue)
}
