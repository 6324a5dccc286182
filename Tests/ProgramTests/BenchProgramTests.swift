import Foundation
import Kernel
import Lowering
import TestSupport
import Testing

@Suite("netpol-lab bench") struct BenchProgramTests {
  @Test("the command prints JSON for a generated world", .timeLimit(.minutes(5)))
  func command() async throws {
    let arguments = ["--policies", "14", "--pods", "20", "--flows", "500", "--sample", "50", "-o", "json"]
    let result = try await Program.run(["bench", "engines"] + arguments)
    let report = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    #expect(report["schema"] as? String == "netpol-lab/bench/v1" && report["flows"] as? Int == 500)
    #expect((report["rows"] as? [Any])?.count == EnforcementStyle.all.count + 1)
  }
}

extension Alone {
  @Suite("netpol-lab bench apply") struct ApplyBenchProgramTests {
    @Test(
      "the command writes each format, and names the option that it can't use", .needsNamespaces,
      arguments: [("text", "A new pod"), ("json", "netpol-lab/bench-apply/v1"), ("csv", "section,rules,what")])
    func command(_ format: String, _ said: String) async throws {
      let small = [
        "bench", "apply", "--policies", "3", "--pods", "4", "--rounds", "1", "--syncs", "0", "--updates", "10",
      ]
      let result = try await Program.run(small + ["-o", format])
      #expect(result.status == .exited(0) && result.output.contains(said), "\(result)")
      let wrong = try await Program.run(["bench", "apply", "--pods", "0"])
      #expect(wrong.status == .exited(2) && wrong.errors.contains("'0' is invalid for '--pods"), "\(wrong)")
    }
  }
}
