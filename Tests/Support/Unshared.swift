internal import Foundation
internal import Glibc

/// Runs a program in a network namespace of its own, without the lab's kernel layer.
package enum Unshared {
  /// The standard output and, if asked for, the standard error.
  package static func run(_ arguments: [String], withErrors: Bool = false) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["unshare", geteuid() == 0 ? "-n" : "-Urn"] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    if withErrors { process.standardError = pipe } else { process.standardError = FileHandle.nullDevice }
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }

  /// With REQUIRE_NETNS=1 tests must run, and fail if they can't.
  package static func canRun(_ arguments: [String]) -> Bool {
    ProcessInfo.processInfo.environment["REQUIRE_NETNS"] == "1" || (try? run(arguments))?.status == 0
  }
}
