import ArgumentParser
import Dumps
import EngineComparison
import Foundation
import Kernel
import Manifests
import StandingLab

/// What a failure was about; the raw value is the exit code.
enum ProgramExit: Int32 {
  case asExpected = 0
  case finding = 1
  case badInput = 2
  case machine = 3

  /// Parses the arguments, runs the command and ends the process.
  static func run() -> Never {
    do {
      var command = try NetpolLab.parseAsRoot()
      try command.run()
      exit(asExpected.rawValue)
    } catch let code as ExitCode {
      exit(code.rawValue)
    } catch let error as InputError {
      end(badInput, error.description)
    } catch let error as NothingToAsk {
      end(badInput, error.description)
    } catch let error as ManifestFileError {
      end(badInput, error.description)
    } catch let error as DumpError {
      end(badInput, error.description)
    } catch let error as ManifestError {
      end(badInput, error.description)
    } catch let error where isUsage(error) {
      let isHelp = NetpolLab.exitCode(for: error) == .success
      let text = NetpolLab.fullMessage(for: error)
      if isHelp {
        print(text)
        exit(asExpected.rawValue)
      }
      end(badInput, text)
    } catch let failure as LabFailure {
      end(machine, failure.description)
    } catch {
      // Everything else is between the lab and the machine.
      end(machine, "netpol-lab \(version): \(error)")
    }
  }

  private static func isUsage(_ error: any Error) -> Bool {
    let code = NetpolLab.exitCode(for: error)
    return code == .success || code == .validationFailure
  }

  private static func end(_ code: ProgramExit, _ message: String) -> Never {
    FileHandle.standardError.write(Data((message + "\n").utf8))
    exit(code.rawValue)
  }
}

/// Input that can't be used, in one line.
struct InputError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
