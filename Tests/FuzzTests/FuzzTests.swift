// Not covered: thousands of worlds. docs/fuzzing.md says how many were run.
import Foundation
import Fuzz
import Kernel
import Lowering
import NetpolModel
import RuleIR
import TestSupport
import Testing
import Worlds

extension Slow {
  @Suite("Random worlds, compared", .serialized) struct FuzzTests {
    /// No flow of a world shows these deviations.
    private static let unseen: [RuleKind: String] = [
      .icmpType: "pings are not asked of worlds", .random: "the lab's rules choose by code point",
      .sourcePort: "no probe has DNS's port as its source",
    ]
    /// Deviations that no flow of these worlds shows.
    private static let unshown: [Deviation: String] = [
      .refusesStrangers: "worlds have no strangers; StrangerPacketTests has",
      .dropsUntranslatable:
        "a host-network pod at a balancer's address and port is too rare; DeviationTests has its world",
    ]

    private static let seeds = Array(UInt64(0)..<196) + [263, 297, 319, 342]
    /// Worlds with few flows that show rare deviations (D4, D10, D16, D21, D23). All their flows are asked.
    private static let rare: Set<UInt64> = [62, 72, 78, 82, 263, 297, 319, 342]

    @Test("oracle and evaluator agree on 200 worlds in every style that cover all deviations and kinds of rules")
    func worlds() async throws {
      let found = try await blocking {
        var check = WorldCheck()
        return Self.coverage(Self.seeds, &check) { Self.rare.contains($0) ? 5000 : 40 }
      }
      #expect(found.cases == Self.seeds.count * EnforcementStyle.all.count)
      let missing = Set(EnforcementStyle.all.flatMap(\.traits.deviations)).subtracting(found.deviations.keys)
        .subtracting(Self.unshown.keys)
      #expect(missing.isEmpty, "deviations that no flow showed: \(missing.map(\.id).sorted())")
      let unmatched = found.written.subtracting(found.matched).subtracting(Self.unseen.keys)
      #expect(unmatched.isEmpty, "kinds of rules that no packet matched: \(unmatched.map(\.rawValue).sorted())")
    }

    @Test(
      "packets agree on fifty worlds in every style, and worlds on one place share a lab",
      .needsNamespaces)
    func packets() async throws {
      let (found, labs) = try await blocking {
        var check = try WorldCheck(packetsAs: "test")
        return (Self.coverage(Array(400..<450), &check) { _ in 60 }, check.labsBuilt)
      }
      #expect(found.casesWithPackets == 50 * EnforcementStyle.all.count && labs < 30, "\(labs) labs")
      #expect(found.observed > 5000 && found.allowed > 1000 && found.allowed < found.flows)
    }

    @Test("proofs of random worlds find nothing, and random packets have the fates of their classes")
    func proofs() async throws {
      let found = try await blocking {
        var check = WorldCheck()
        check.proves = true
        check.classPackets = 2000
        return Self.coverage(Array(31_000..<31_008), &check) { _ in 10 }
      }
      #expect(found.provedClasses > 1000 && found.classPackets >= 8 * 2000 * EnforcementStyle.all.count)
    }

    @Test("a rule that differs from what is proved is a failure of its own kind")
    func mistakes() throws {
      // Without its deviations the style is compared with the specification alone.
      let claimed = EnforcementStyle.kubeRouterK3s.traits.making([])
      let style = EnforcementStyle.kubeRouterK3s
      let exact = EnforcementStyle(name: "exact", backend: style.backend, traits: claimed) { style.lower($0) }
      var check = WorldCheck()
      check.proves = true
      let kinds = (UInt64(0)..<12).flatMap { seed in
        check.check(World(seed: seed).cluster, exact, seed: seed).failures.map(\.kind)
      }
      #expect(kinds.contains(.notProved))
    }

    private static func coverage(
      _ seeds: [UInt64], _ check: inout WorldCheck, flows: (UInt64) -> Int
    ) -> FuzzCoverage {
      var coverage = FuzzCoverage()
      for seed in seeds {
        let world = World(seed: seed)
        check.flowLimit = flows(seed)
        for style in EnforcementStyle.all {
          let result = check.check(world.cluster, style, seed: seed)
          coverage.add(result.coverage)
          #expect(result.failures.isEmpty, "seed \(seed), \(style.name): \(result.failures.first?.text ?? "")")
        }
      }
      return coverage
    }

    @Test("a style that enforces nothing is detected, and the world is shrunk to a pod and a policy")
    func shrinking() throws {
      let open = EnforcementStyle(
        name: "open", backend: .iptables, traits: EnforcementStyle.kubeRouterK3s.traits.making([])
      ) { _ in Lowered(.init()) }
      var check = WorldCheck()
      let failing = try #require(
        (0..<50).lazy.map { World(seed: $0) }.first { world in
          check.check(world.cluster, open, seed: world.seed).failures.contains { $0.kind == .unexplained }
        })
      let smallest = failing.cluster.shrunk(attempts: 500) { smaller in
        check.check(smaller, open, seed: failing.seed).failures.contains { $0.kind == .unexplained }
      }
      #expect(smallest.policies.count == 1 && smallest.pods.count <= 2 && smallest.services.isEmpty)
      #expect(smallest.policies.allSatisfy { $0.ingress.isEmpty && $0.egress.isEmpty && $0.isolates.count == 1 })
      #expect(check.check(smallest, open, seed: failing.seed).failures.contains { $0.kind == .unexplained })
    }
  }
}
