// What this does not show: that packets agree. `netpol-lab fuzz` and RunTests send them.
import EngineComparison
import Foundation
import Lowering
import NetpolModel
import Path
import Run
import StandingLab
import TestSupport
import Testing
import Verdicts
import Worlds

@Suite("All flows by class") struct FlowSurveyTests {
  @Test(
    "Judged by class, as many flows have each verdict and finding as judged one by one",
    arguments: EnforcementStyle.all.map(\.name))
  func tallies(name: String) throws {
    let style = try #require(EnforcementStyle.all.first { $0.name == name })
    let worlds = Int(ProcessInfo.processInfo.environment["NETPOL_WORLDS"] ?? "") ?? 30
    let first = UInt64(ProcessInfo.processInfo.environment["NETPOL_SEED"] ?? "") ?? 92_000
    var deviating = 0
    for seed in first..<first + UInt64(worlds) {
      let cluster = try readWorld(World(seed: seed).cluster.manifest, asStored: true)
      let topology = Topology(cluster)
      let plan = try LabPlan(cluster, style, versionStamp: "1", in: topology)
      let asked = ProbePlan(cluster, topology)
      var expected = Tally()
      for comparison in asked.flows.map({ plan.comparer.compare($0, nil) }).filter({ $0.finding != .notChosen })
        + asked.unasked.map({ plan.comparer.compare($0) })
      {
        switch comparison.evaluated {
        case .allow?: expected.allowed += 1
        case .deny?: expected.denied += 1
        case nil: expected.unanswered += 1
        }
        switch comparison.finding {
        case .deviation: expected.deviating += 1
        case .unexplained, .deviationMissing, .kernelDisagrees, .undecided: expected.unexplained += 1
        case .agreement, .noRoute, .notChosen, .notModelled: break
        }
      }
      var survey = FlowSurvey(plan, AskedFlows(cluster, topology, only: .init()), sctpObstacle: nil)
      survey.run()
      #expect(survey.result.tally == expected, "seed \(seed)")
      deviating += expected.deviating
    }
    #expect(deviating > 0 || style.name == EnforcementStyle.compiled.name)
  }
}
