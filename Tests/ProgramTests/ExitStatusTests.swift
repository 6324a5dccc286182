// The messages of errors, and the exit codes for them. ProgramTests check the program itself.
import Dumps
import Glibc
import Kernel
import Manifests
import NetpolModel
import Network
import TestSupport
import Testing

@testable import StandingLab

@Suite("Errors and exit codes") struct ExitStatusTests {
  @Test(
    "an error for the user determines the exit code",
    arguments: [
      (ManifestError(location: nil, problem: "odd"), .badInput, "odd"),
      (DumpError(file: "f", line: 2, text: "x", problem: "odd"), .badInput, "f:2: odd: x"),
      (NothingToAsk(description: "there is no flow"), .badInput, "there is no flow"),
      (LabError("no namespaces"), .machine, "netpol-lab 1: no namespaces"),
      (Interrupted(), .machine, "netpol-lab 1: interrupted before enough was measured for a result"),
    ] as [(any UserFacingError, NetpolModel.ExitStatus, String)])
  func status(error: any UserFacingError, status: NetpolModel.ExitStatus, message: String) {
    #expect(error.exitStatus == status)
    #expect(error.message(from: "netpol-lab 1") == message)
  }

  @Test(
    "a lab failure is the machine's unless the input was bad, and it names the version once",
    .needsNamespaces)
  func labFailure() throws {
    let worker = try NamespaceWorker()
    defer { worker.close() }
    let environment = try LabEnvironment(version: "1", style: "compiled", worker: worker)
    let failure = LabFailure(environment: environment, error: KernelError("nft add rule", code: EINVAL))
    #expect(failure.exitStatus == .machine)
    let lines = failure.message(from: "netpol-lab 1").split(separator: "\n")
    #expect(lines.first == "nft add rule: Invalid argument (EINVAL)")
    #expect(lines.count == 2 && lines[1].hasPrefix("netpol-lab 1, style compiled, Linux "))
    #expect(LabFailure(environment: environment, error: NothingToAsk(description: "no flow")).exitStatus == .badInput)
  }
}
