import Foundation
import Kernel
import Testing

/// Whether tests with namespaces can run here; with REQUIRE_NETNS=1 they must.
let canRunLab = Privilege.canMakeNamespaces || ProcessInfo.processInfo.environment["REQUIRE_NETNS"] == "1"
let needsNamespaces: Comment = "needs root or a user namespace (unshare -Urnm swift test)"

let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
  .standardized

/// Runs what blocks on a thread of its own: the pool has two, and other tests wait for them.
func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    Thread { continuation.resume(with: Result(catching: body)) }.start()
  }
}

/// The built program, run as a user runs it.
enum Program {
  static let path = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    .appendingPathComponent("netpol-lab").path

  struct Result {
    let status: CommandEnding
    let output: String
    let errors: String
  }

  static func run(_ arguments: [String], input: String = "") async throws -> Result {
    let result = try await start([path] + arguments, input)
    return Result(
      status: result.ending, output: result.text, errors: String(decoding: result.stderr, as: UTF8.self))
  }

  /// Any command, in this process's own namespaces.
  static func start(_ command: [String], _ input: String = "") async throws -> CommandResult {
    try await blocking {
      let worker = try NamespaceWorker()
      return try Command(command, input: Array(input.utf8), timeout: .seconds(300)).run(on: worker)
    }
  }
}
