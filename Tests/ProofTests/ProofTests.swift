// Not covered: rate limits and fragments, which no class tells apart.
import Enforcement
import EngineComparison
import Foundation
import Lowering
import NetpolModel
import Path
import Proof
import TestSupport
import Testing
import Worlds

@Suite("Proofs") struct ProofTests {
  static let worlds = Int(ProcessInfo.processInfo.environment["NETPOL_WORLDS"] ?? "") ?? 40
  static let first = UInt64(ProcessInfo.processInfo.environment["NETPOL_SEED"] ?? "") ?? 27_000

  @Test("On random clusters every difference has a number", arguments: EnforcementStyle.all.map(\.name))
  func randomWorldsAreProved(name: String) throws {
    let style = try #require(EnforcementStyle.all.first { $0.name == name })
    var reasons: Set<ProofReason> = []
    for seed in Self.first..<Self.first + UInt64(Self.worlds) {
      let cluster = try readWorld(World(seed: seed).cluster.manifest, asStored: true)
      let enforced = try EnforcedCluster(cluster, Topology(cluster), style, versionStamp: "1")
      let proof = Proof(cluster, Comparer(cluster, enforced))
      reasons.formUnion(proof.reasons.map(\.reason))
      #expect(proof.classes > 0)
      // What depends on a race has no number: the style warns of it.
      if !enforced.findings.isEmpty { continue }
      if !proof.counterexamples.isEmpty { try? World(seed: seed).cluster.manifest.write(toFile: "/tmp/pw-\(seed)-\(name).yaml", atomically: true, encoding: .utf8) }
      if let one = proof.counterexamples.first { Issue.record("seed \(seed): \(one)") }
    }
    #expect(reasons.count > 3)
  }
}
