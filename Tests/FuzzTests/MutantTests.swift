// Not covered: that each mistake is noticed. docs/fuzzing.md says which ones are not.
import Lowering
import TestSupport
import Testing
import Worlds

@testable import Fuzz

extension Slow {
  @Suite("Mutants", .serialized) struct MutantTests {
    @Test("at least 95 of 100 mistakes of all kinds, in the rules of all styles, are noticed")
    func noticed() async throws {
      try await blocking {
        var hunt = try MutantHunt(EnforcementStyle.all, seeds: Array(0..<60), flows: 150)
        let mutants = hunt.mutants(100, of: EnforcementStyle.all, seed: 1).filter { $0.equivalentBecause == nil }
        var survivors: [MutantHunt.Mutant] = []
        for mutant in mutants where hunt.notice(mutant) == nil { survivors.append(mutant) }
        #expect(mutants.count == 100 && survivors.count <= 5, "\(survivors)")
        #expect(Set(mutants.map(\.kind)).count >= 15 && Set(mutants.map(\.style.name)).count == 4)
      }
    }

    @Test("equivalent mutants of every kind are noticed in no world")
    func equivalent() async throws {
      try await blocking {
        var hunt = try MutantHunt(EnforcementStyle.all, seeds: Array(0..<16), flows: 40)
        var asked: [Equivalence: Int] = [:]
        for mutant in hunt.mutants(10_000, of: EnforcementStyle.all, seed: 1) {
          guard let equivalence = mutant.equivalence, asked[equivalence, default: 0] < 3 else { continue }
          asked[equivalence, default: 0] += 1
          let notice = hunt.notice(mutant)
          #expect(notice == nil, "\(mutant): \(equivalence.rawValue)")
        }
        #expect(Set(asked.keys) == Set(Equivalence.allCases))
      }
    }

    @Test(
      "replies, pings, neighbour discovery, strays and marked packets do what is predicted if there is no mistake")
    func foretold() async throws {
      let surprises = try await blocking {
        try MutantHunt(EnforcementStyle.all, seeds: Array(0..<24), flows: 60).surprises()
      }
      #expect(surprises.isEmpty, "\(surprises.prefix(5))")
    }

    @Test(
      "packets show if other rules are loaded than evaluated", .needsNamespaces)
    func loaded() async throws {
      try await blocking {
        // All of them in one lab.
        let seeds = Array(UInt64(0)..<World.seedsOnOnePlace)
        var hunt = try MutantHunt(EnforcementStyle.all, seeds: seeds, flows: 60)
        var check = try WorldCheck(packetsAs: "test")
        check.flowLimit = 60
        var asked = 0
        for mutant in hunt.mutants(100, of: EnforcementStyle.all, seed: 2)
        where asked < 20 && mutant.equivalentBecause == nil {
          guard let notice = hunt.notice(mutant, byFlowsAlone: true) else { continue }
          asked += 1
          let failures = check.check(World(seed: notice.seed), loading: mutant).failures
          // Undecided: a packet that should be refused leaves, and nobody is there.
          let kinds: Set<FuzzFailure.Kind> = [.kernelDisagrees, .refused, .undecided]
          #expect(failures.contains { kinds.contains($0.kind) }, "\(mutant), \(failures)")
        }
        #expect(asked == 20)
      }
    }
  }
}
