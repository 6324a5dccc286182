import Foundation
import Kernel
import Testing

/// Whether tests with namespaces can run here; with REQUIRE_NETNS=1 they must.
let canRunLab = Privilege.canMakeNamespaces || ProcessInfo.processInfo.environment["REQUIRE_NETNS"] == "1"
let needsNamespaces: Comment = "needs root or a user namespace (unshare -Urnm swift test)"

let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..").standardized

/// The built program, run as a user runs it.
enum Program {
  static let path = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    .appendingPathComponent("netpol-lab").path

  struct Result {
    let status: CommandEnding
    let output: String
    let errors: String
  }

  static func run(_ arguments: [String], input: String = "") throws -> Result {
    let worker = try NamespaceWorker()
    let result = try Command([path] + arguments, input: Array(input.utf8), timeout: .seconds(120)).run(on: worker)
    return Result(
      status: result.ending, output: result.text, errors: String(decoding: result.stderr, as: UTF8.self))
  }
}
