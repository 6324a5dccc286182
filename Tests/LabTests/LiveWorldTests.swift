// What this does not show: that thousands of sequences agree; docs/fuzzing.md says how many were run.
import Lab
import Lowering
import NetpolModel
import Testing
import Worlds

@Suite("Worlds that change", .serialized) struct LiveWorldTests {
  /// A sequence for each seed, in the styles in turn.
  private static func failures(
    _ seeds: Range<UInt64>, steps: Int, _ check: inout WorldCheck
  ) -> (failures: [String], coverage: FuzzCoverage) {
    var coverage = FuzzCoverage()
    var failures: [String] = []
    for seed in seeds {
      let style = EnforcementStyle.all[Int(seed) % EnforcementStyle.all.count]
      var world = LiveWorld(seed: seed)
      let result = check.check(&world, style, steps: steps)
      coverage.add(result.coverage)
      failures += result.failures.map { "seed \(seed), \($0.style): \($0.text)" }
    }
    return (failures, coverage)
  }

  @Test("of 20 sequences, changes make each ruleset the next one, and the engines agree behind each")
  func sequences() async throws {
    try await blocking {
      var check = WorldCheck()
      check.flowLimit = 20
      let (failures, coverage) = Self.failures(0..<20, steps: 6, &check)
      #expect(failures.isEmpty, "\(failures.prefix(3))")
      #expect(coverage.cases == 20 && coverage.flows > 1000)
    }
  }

  @Test(
    "of four sequences, one in each style, the kernel holds what it should behind each change, and packets agree",
    .enabled(if: canRunLab, needsNamespaces))
  func packets() async throws {
    try await blocking {
      var check = try WorldCheck(packetsAs: "test")
      check.flowLimit = 15
      let (failures, coverage) = Self.failures(0..<4, steps: 4, &check)
      #expect(failures.isEmpty, "\(failures.prefix(3))")
      #expect(coverage.observed > 100)
      #expect(check.labsBuilt == 1)
    }
  }

  @Test("pods come, go, end, are relabelled and take over addresses, and policies and namespaces change too")
  func changes() {
    var seen: Set<String> = []
    for seed in UInt64(0)..<20 {
      var world = LiveWorld(seed: seed)
      var again = LiveWorld(seed: seed)
      let places = Set(world.places.pods.flatMap(\.podIPs))
      for _ in 0..<10 {
        let change = world.step()
        #expect(again.step() == change)
        seen.formUnion(change.split(separator: " ").filter { !$0.contains("/") }.map(String.init))
        let own = world.cluster.pods.filter { !$0.hostNetwork && !$0.phase.isTerminal }.flatMap(\.podIPs)
        #expect(places.isSuperset(of: own) && Set(own).count == own.count, "\(change)")
      }
      #expect(world.cluster == again.cluster)
    }
    #expect(
      seen.isSuperset(of: ["pod", "policy", "namespace", "goes", "comes", "ends", "relabelled", "takes", "changes"]))
  }
}
