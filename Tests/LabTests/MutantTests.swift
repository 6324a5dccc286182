import Lab
import Lowering
import Testing
import Worlds

@Suite("Mutants", .serialized) struct MutantTests {
  @Test("at least 95 of 100 mistakes of all kinds, in the rules of all styles, come to light")
  func noticed() async throws {
    try await blocking {
      var hunt = try MutantHunt(EnforcementStyle.all, seeds: Array(0..<60), flows: 150)
      let mutants = hunt.mutants(100, of: EnforcementStyle.all, seed: 1)
      var survivors: [MutantHunt.Mutant] = []
      for mutant in mutants where hunt.notice(mutant) == nil { survivors.append(mutant) }
      #expect(mutants.count == 100 && survivors.count <= 5, "\(survivors)")
      #expect(Set(mutants.map(\.kind)).count >= 15 && Set(mutants.map(\.style.name)).count == 4)
    }
  }

  @Test(
    "rules that are loaded otherwise than evaluated are found out by packets", .enabled(if: canRunLab, needsNamespaces))
  func loaded() async throws {
    try await blocking {
      // All in one lab.
      let seeds = Array(UInt64(0)..<World.seedsOnOnePlace)
      var hunt = try MutantHunt(EnforcementStyle.all, seeds: seeds, flows: 60)
      var check = try WorldCheck(packetsAs: "test")
      check.flowLimit = 60
      var asked = 0
      for mutant in hunt.mutants(100, of: EnforcementStyle.all, seed: 2) where asked < 20 {
        guard let notice = hunt.notice(mutant) else { continue }
        asked += 1
        let failures = check.check(World(seed: notice.seed), loading: mutant).failures
        #expect(failures.contains { $0.kind == .kernelDisagrees || $0.kind == .refused }, "\(mutant)")
      }
      #expect(asked == 20)
    }
  }
}
