// Checks of arguments and files before there is a lab. ProgramTests check the messages.
import Kernel
import TestSupport
import Testing

/// Runs the program as an ordinary user. The user namespaces that this takes are not used by anything else.
private func run(_ arguments: [String], furtherNamespaces: Bool, input: String) async throws -> CommandResult {
  // With a limit of 1, no user namespace can be made inside the second one.
  let limit = furtherNamespaces ? "" : "echo 1 > /proc/sys/user/max_user_namespaces;"
  let shell = "\(limit) exec unshare -U --map-user=1000 --map-group=1000 \"$@\""
  return try await Program.start(["unshare", "-Ur", "sh", "-c", shell, "sh", Program.path] + arguments, input)
}

private func canBeUser() async throws -> Bool {
  try await Program.start(["unshare", "-Ur", "unshare", "-U", "--map-user=1000", "--map-group=1000", "true"]).succeeded
}

@Suite("Input is read before namespaces are made", .enabled("needs user namespaces", canBeUser)) struct BadInputTests {
  private static let pod = "\(ProgramTests.pod)\n---\n"

  @Test(
    "bad input is exit code 2 if an ordinary user has no namespaces",
    arguments: [
      "run -f /nowhere", "run -f - --style calico", "run -f - --port 0", "run -f - --to default/api",
      "run -f - --from default/web --to default/web", "run -f - --expectations-only",
      "lag --trials 0", "lag -f -", "lag -f - --newcomer default/api", "lag -f - --newcomer default/web",
      "bench --pods 1,x", "bench --rounds 1", "bench micro --rounds 1", "bench apply --policies x",
      "bench services --services 0", "bench services --services 30000 --endpoints 2",
      "bench -f /nowhere", "bench -f - --styles calico", "fuzz --replay /nowhere", "fuzz --time x",
    ]) func badInput(arguments: String) async throws
  {
    let words = arguments.split(separator: " ").map(String.init)
    let result = try await run(words, furtherNamespaces: false, input: Self.pod)
    #expect(result.ending == .exited(2), "\(result)")
  }

  @Test(
    "good input is exit code 3 if an ordinary user has no namespaces",
    arguments: ["run -f -", "lag", "bench", "bench micro", "bench services", "fuzz --cases 1"])
  func goodInput(arguments: String) async throws {
    let words = arguments.split(separator: " ").map(String.init)
    let result = try await run(words, furtherNamespaces: false, input: Self.pod)
    #expect(result.ending == .exited(3))
    #expect(String(decoding: result.stderr, as: UTF8.self).contains("needs root or user namespaces"), "\(result)")
  }

  @Test(
    "reading starts no thread, because a process with threads can't enter a user namespace",
    .needsNamespaces,
    arguments: ["run -f -", "lag --trials 1 --requests 0 --policies 4 --pods 10"])
  func oneThread(arguments: String) async throws {
    let words = arguments.split(separator: " ").map(String.init)
    let result = try await run(words, furtherNamespaces: true, input: Self.pod)
    #expect(result.ending == .exited(0), "\(String(decoding: result.stderr, as: UTF8.self))")
  }
}
