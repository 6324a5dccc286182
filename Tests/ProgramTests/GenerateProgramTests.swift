import Kernel
import NetpolModel
import TestSupport
import Testing
import Worlds

@Suite("The command generate") struct GenerateProgramTests {
  @Test("prints what the library generates") func text() async throws {
    let result = try await Program.run(
      "generate --pods 20 --policies 5 --nodes 2 --seed 9 --families dual".split(separator: " ").map(String.init))
    let cluster = GeneratedCluster(pods: 20, policies: 5, nodes: 2, families: [.v4, .v6], seed: 9)
    #expect(result.status == .exited(0) && result.errors.isEmpty, "\(result.errors)")
    #expect(result.output == cluster.text)
  }

  @Test("needs no option") func defaults() async throws {
    let result = try await Program.run(["generate"])
    #expect(result.status == .exited(0))
    #expect(result.output == GeneratedCluster(pods: 200, policies: 40, nodes: 4, seed: 1).text)
  }

  @Test(
    "reports a bad option in one line",
    arguments: [
      "--pods 0", "--pods 20001", "--policies -1", "--policies=-1", "--policies x", "--nodes 0", "--nodes 501",
      "--seed -1", "--seed x", "--families v5", "--size 3", "--pods",
    ])
  func badOption(arguments: String) async throws {
    let result = try await Program.run(["generate"] + arguments.split(separator: " ").map(String.init))
    #expect(result.status == .exited(2), "\(result)")
    #expect(result.output.isEmpty)
    #expect(result.errors.split(separator: "\n").count == 1 && result.errors.contains("--"), "\(result.errors)")
  }

  @Test("ends quietly if nobody reads on") func closedPipe() async throws {
    let script = "\"$0\" generate --pods 500 | head -n 1; echo \"${PIPESTATUS[0]}\""
    let result = Program.Result(try await Program.start(["bash", "-c", script, Program.path]))
    #expect(result.errors.isEmpty, "\(result.errors)")
    // 141: ended by SIGPIPE, as any program.
    #expect(result.output == "apiVersion: v1\n141\n", "\(result.output)")
  }

  @Test("prints a cluster on which the three engines agree", .needsNamespaces) func run() async throws {
    let world = GeneratedCluster(pods: 30, policies: 12, nodes: 3, seed: 1).text
    let result = try await Program.run(["run", "-f", "-"], input: world)
    #expect(result.status == .exited(0), "\(result.output.suffix(2000))\(result.errors)")
    let words = result.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(words.contains("Oracle, evaluator and kernel: 0 disagreements"))
  }
}
