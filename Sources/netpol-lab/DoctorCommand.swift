import ArgumentParser
import Documents
import NetpolModel
import Report
import StandingLab

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Say what this machine can do, what is missing, and how to get it.")

  @Option(name: .shortAndLong, help: "Report format.")
  var output = ReportFormat.text

  func run() throws {
    var refusal: String?
    var entered = false
    do { entered = try enterNamespaces() } catch { refusal = "\(error)" }
    let check = MachineCheck(isInUserNamespace: entered, refusal: refusal)
    try output.print(check.document)
    if !check.canRun { throw ExitCode(ExitStatus.machine.rawValue) }
  }
}
