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

    @Test("packets chosen by class show as many mistakes of a loader as a packet for every flow")
    func mistakes() async throws {
      try await blocking {
        let seeds = Array(UInt64(0)..<12)
        let hunt = try MutantHunt(EnforcementStyle.all, seeds: seeds, flows: 1)
        let mutants = hunt.mutants(80, of: EnforcementStyle.all, seed: 3).filter { $0.equivalentBecause == nil }
        var (shown, shownByClass, shownByDrawn, flows, chosen) = (0, 0, 0, 0, 0)
        for style in EnforcementStyle.all {
          let worlds = try seeds.map { try Asked(WorldCheck.read(World(seed: $0).cluster), style) }
          flows += worlds.reduce(0) { $0 + $1.flows.count }
          chosen += worlds.reduce(0) { $0 + $1.chosen.count }
          for mutant in mutants where mutant.style.name == style.name {
            var (byFlow, byClass, byDrawn) = (false, false, false)
            for world in worlds {
              guard
                let mutated = try? EnforcedCluster(
                  world.plan.cluster, world.plan.topology, mutant.mutated, versionStamp: "1")
              else { continue }
              byFlow = byFlow || world.show(mutated, world.flows)
              byClass = byClass || world.show(mutated, world.chosen)
              byDrawn = byDrawn || world.show(mutated, world.drawn)
            }
            shown += byFlow ? 1 : 0
            shownByClass += byClass ? 1 : 0
            shownByDrawn += byDrawn ? 1 : 0
          }
        }
        print(
          "\(chosen) of \(flows) flows show \(shownByClass) of \(shown) mistakes; as many at random \(shownByDrawn)")
        #expect(shownByClass >= shown && shownByClass >= shownByDrawn)
      }
    }
  }
}
