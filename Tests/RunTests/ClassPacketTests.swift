// Not covered: mistakes that only later packets of a connection show. FollowUpPackets are for those.
import Enforcement
import Foundation
import Lowering
import NetpolModel
import Path
import StandingLab
import Statistics
import TestSupport
import Testing
import Verdicts
import Worlds

@testable import Fuzz
@testable import Run

extension Slow {
  @Suite("Packets by class") struct ClassPacketTests {
    private struct Asked {
      let plan: LabPlan
      let flows: [Flow]
      let chosen: [Flow]
      /// As many flows as were chosen by class, drawn at random.
      let drawn: [Flow]

      init(_ cluster: Cluster, _ style: EnforcementStyle) throws {
        plan = try LabPlan(cluster, style, versionStamp: "1")
        flows = ProbePlan(cluster, plan.topology).flows
        var survey = FlowSurvey(plan, AskedFlows(cluster, plan.topology, only: .init()), sctpObstacle: nil)
        survey.run()
        chosen = survey.result.packets(nil)
        var random = SplitMix64(seed: 1)
        drawn = random.some(chosen.count, of: flows)
      }

      /// Whether a packet shows that other rules are loaded than were evaluated.
      func show(_ mutated: EnforcedCluster, _ flows: [Flow]) -> Bool {
        flows.contains { plan.enforced.verdict(of: $0) != mutated.verdict(of: $0) }
      }
    }

    /// What flows by flow, by class and drawn at random show of some mutants.
    private struct Shown {
      var all = 0
      var byClass = 0
      var byDrawn = 0
      var flows = 0
      var chosen = 0

      mutating func add(_ mutants: [MutantHunt.Mutant], _ clusters: [Cluster], _ style: EnforcementStyle) throws {
        let worlds = try clusters.map { try Asked($0, style) }
        flows += worlds.reduce(0) { $0 + $1.flows.count }
        chosen += worlds.reduce(0) { $0 + $1.chosen.count }
        for mutant in mutants where mutant.style.name == style.name {
          let found = concurrentMap(worlds.count) { index -> [Bool] in
            let world = worlds[index]
            guard
              let mutated = try? EnforcedCluster(
                world.plan.cluster, world.plan.topology, mutant.mutated, versionStamp: "1")
            else { return [false, false, false] }
            return [world.flows, world.chosen, world.drawn].map { world.show(mutated, $0) }
          }
          all += found.contains { $0[0] } ? 1 : 0
          byClass += found.contains { $0[1] } ? 1 : 0
          byDrawn += found.contains { $0[2] } ? 1 : 0
        }
      }

      func tell() {
        print("\(chosen) of \(flows) flows show \(byClass) of \(all) mistakes; as many at random \(byDrawn)")
      }
    }

    @Test("packets chosen by class show as many mistakes of a loader as a packet for every flow")
    func mistakes() async throws {
      try await blocking {
        let seeds = Array(UInt64(0)..<12)
        let hunt = try MutantHunt(EnforcementStyle.all, seeds: seeds, flows: 1)
        let mutants = hunt.mutants(80, of: EnforcementStyle.all, seed: 3).filter { $0.equivalentBecause == nil }
        let clusters = try seeds.map { try WorldCheck.read(World(seed: $0).cluster) }
        var shown = Shown()
        for style in EnforcementStyle.all { try shown.add(mutants, clusters, style) }
        shown.tell()
        #expect(shown.byClass >= shown.all && shown.byClass >= shown.byDrawn)
      }
    }

    @Test("in clusters of usual shape, a tenth of the packets shows as many mistakes of a loader as all")
    func mistakesInUsualClusters() async throws {
      try await blocking {
        let environment = ProcessInfo.processInfo.environment
        let count = Int(environment["NETPOL_MUTANTS"] ?? "") ?? 24
        let hunt = try MutantHunt(EnforcementStyle.all, seeds: Array(UInt64(0)..<12), flows: 1)
        let mutants = hunt.mutants(count, of: EnforcementStyle.all, seed: 5).filter { $0.equivalentBecause == nil }
        let clusters = try (UInt64(1)...2).map { seed in
          try readWorld(GeneratedCluster(pods: 36, policies: 12, nodes: 3, seed: seed).text, asStored: true)
        }
        var shown = Shown()
        for style in EnforcementStyle.all { try shown.add(mutants, clusters, style) }
        shown.tell()
        #expect(shown.chosen * 10 <= shown.flows)
        #expect(shown.byClass >= shown.all)
      }
    }
  }
}
