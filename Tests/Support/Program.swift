internal import Foundation
package import Kernel

/// The built program, run as a user would run it.
package enum Program {
  package static let path = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    .appendingPathComponent("netpol-lab").path

  package struct Result {
    package let status: CommandEnding
    package let output: String
    package let errors: String

    package init(_ result: CommandResult) {
      status = result.ending
      output = result.text
      errors = String(decoding: result.stderr, as: UTF8.self)
    }
  }

  package static func run(_ arguments: [String], input: String = "") async throws -> Result {
    Result(try await start([path] + arguments, input))
  }

  /// Runs any command in this process's own namespaces.
  package static func start(_ command: [String], _ input: String = "") async throws -> CommandResult {
    try await blocking {
      let worker = try NamespaceWorker()
      return try Command(command, input: Array(input.utf8), timeout: .seconds(300)).run(on: worker)
    }
  }
}
