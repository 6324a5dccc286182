import Enforcement
import Foundation
import Lowering
import NetpolModel
import Path
import TestSupport
import Testing
import Verdicts
import Worlds

@Suite("Rules of some nodes") struct ActingPoliciesTests {
  @Test(
    "A packet meets the same rules whether all nodes and policies are lowered, or those on its way only",
    arguments: EnforcementStyle.all.map(\.name))
  func sameRecords(name: String) throws {
    let style = try #require(EnforcementStyle.all.first { $0.name == name })
    var met = 0
    for seed in UInt64(28_000)..<28_012 {
      let cluster = try readWorld(World(seed: seed).cluster.manifest, asStored: true)
      let topology = Topology(cluster)
      let whole = try EnforcedCluster(cluster, topology, style, versionStamp: "1")
      var parts: [Set<String>: EnforcedCluster] = [:]
      for flow in ProbePlan(cluster, topology).flows.prefix(400) {
        let nodes = Set(whole.journey(of: flow).hops.map(\.node))
        let part =
          try parts[nodes] ?? EnforcedCluster(cluster, topology, style, onNodes: nodes, versionStamp: "1")
        parts[nodes] = part
        let record = part.record(of: flow)
        #expect(record == whole.record(of: flow), "seed \(seed): \(flow)")
        met += record.hooks.count
      }
    }
    #expect(met > 5000)
  }
}
