import Lab
import Lowering
import Testing
import Worlds

@Suite("Mutants of the lowerings") struct MutantTests {
  @Test("at least 95 of 100 mistakes of all kinds, in all styles, come to light")
  func noticed() async throws {
    try await blocking {
      let hunt = try MutantHunt(EnforcementStyle.all, seeds: Array(0..<60), flows: 150)
      let mutants = hunt.mutants(100, of: EnforcementStyle.all, seed: 1)
      let survivors = mutants.filter { hunt.notice($0) == nil }
      #expect(mutants.count == 100 && survivors.count <= 5, "\(survivors)")
    }
  }
}
