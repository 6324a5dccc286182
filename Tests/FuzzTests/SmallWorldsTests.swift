import Fuzz
import Lowering
import NetpolModel
import TestSupport
import Testing
import Worlds

extension Slow {
  @Suite("Small worlds of the compiled style") struct SmallWorldsTests {
    private static let slice = 100

    @Test("compiled equals the oracle in a thousand small worlds", arguments: 0..<10)
    func exact(_ number: Int) async throws {
      let found = try await blocking {
        var check = WorldCheck()
        check.flowLimit = 40
        var coverage = FuzzCoverage()
        for index in 0..<Self.slice {
          let seed = UInt64(10_000 + number * Self.slice + index)
          let result = check.check(World(seed: seed).cluster, .compiled, seed: seed)
          coverage.add(result.coverage)
          #expect(result.failures.isEmpty, "seed \(seed): \(result.failures.first?.text ?? "")")
        }
        return coverage
      }
      #expect(found.cases == Self.slice && found.flows > 20 * Self.slice)
      #expect(found.allowed > found.flows / 10 && found.allowed < found.flows * 19 / 20)
      // Deviations of packets that no rule sees, and of multicast groups.
      #expect(found.deviations.keys.allSatisfy { [.bridgeHidesPackets, .multicastIngress].contains($0) })
    }
  }
}
