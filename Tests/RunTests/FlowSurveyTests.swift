// What this does not show: that packets agree. The tests with packets below and `netpol-lab fuzz` do.
import EngineComparison
import Foundation
import Lowering
import NetpolModel
import Path
import RuleIR
import StandingLab
import TestSupport
import Testing
import Verdicts
import Worlds

@testable import Run

@Suite("All flows by class") struct FlowSurveyTests {
  @Test(
    "Judged by class, as many flows have each verdict and finding as judged one by one",
    arguments: EnforcementStyle.all.map(\.name))
  func tallies(name: String) throws {
    let style = try #require(EnforcementStyle.all.first { $0.name == name })
    var deviating = 0
    for seed in UInt64(92_000)..<92_030 {
      let cluster = try readWorld(World(seed: seed).cluster.manifest, asStored: true)
      let (byClass, oneByOne) = try Self.tallies(cluster, style)
      #expect(byClass == oneByOne, "seed \(seed)")
      deviating += oneByOne.deviating
    }
    #expect(deviating > 0 || style.name == EnforcementStyle.compiled.name)
  }

  @Test(
    "A rule that is missing is found by class as often as one by one",
    arguments: [
      EnforcementStyle.kubeRouterK3s.name, EnforcementStyle.kubeRouterNftables.name,
    ])
  func plantedFaults(name: String) throws {
    let style = try #require(EnforcementStyle.all.first { $0.name == name })
    var found = 0
    for seed in UInt64(93_000)..<93_020 {
      let cluster = try readWorld(World(seed: seed).cluster.manifest, asStored: true)
      var broken = style
      broken.lower = { view in
        var lowered = style.lower(view)
        lowered.ruleset.removeAdmission(Int(seed))
        return lowered
      }
      let (byClass, oneByOne) = try Self.tallies(cluster, broken)
      #expect(byClass == oneByOne, "seed \(seed)")
      found += oneByOne.unexplained
    }
    #expect(found > 0)
  }

  fileprivate static func tallies(_ cluster: Cluster, _ style: EnforcementStyle) throws -> (Tally, Tally) {
    let topology = Topology(cluster)
    let plan = try LabPlan(cluster, style, versionStamp: "1", in: topology)
    let asked = ProbePlan(cluster, topology)
    let comparisons =
      asked.flows.map { plan.comparer.compare($0, nil) }.filter { $0.finding != .notChosen }
      + asked.unasked.map { plan.comparer.compare($0) }
    var tally = Tally()
    for comparison in comparisons {
      switch comparison.evaluated {
      case .allow?: tally.allowed += 1
      case .deny?: tally.denied += 1
      case nil: tally.unanswered += 1
      }
      switch comparison.finding {
      case .deviation: tally.deviating += 1
      case .unexplained, .deviationMissing, .kernelDisagrees, .undecided: tally.unexplained += 1
      case .agreement, .noRoute, .notChosen, .notModelled: break
      }
    }
    var told: [JudgedFlow: Int] = [:]
    var survey = FlowSurvey(
      plan, AskedFlows(cluster, topology, only: .init()), sctpObstacle: nil, eachFlow: { told[$0, default: 0] += 1 })
    survey.run()
    var wanted: [JudgedFlow: Int] = [:]
    for one in comparisons { wanted[JudgedFlow(one, from: one.flow.source, to: one.flow.destination), default: 0] += 1 }
    #expect(told.keys.filter { told[$0] != wanted[$0] }.map { "\($0) \(told[$0] ?? 0)" }.sorted().prefix(3) == [])
    #expect(wanted.keys.filter { told[$0] != wanted[$0] }.map { "\($0) \(wanted[$0] ?? 0)" }.sorted().prefix(3) == [])
    return (survey.result.tally, tally)
  }
}

extension Slow {
  @Suite("All flows by class, in many worlds") struct FlowSurveySoakTests {
    @Test("every flow of hundreds of random worlds is judged by class as it is one by one")
    func worlds() throws {
      // `NETPOL_WORLDS` and `NETPOL_SEED` take more worlds, or others: make soak.
      let environment = ProcessInfo.processInfo.environment
      let first = environment["NETPOL_SEED"].flatMap(UInt64.init) ?? 100_000
      let count = environment["NETPOL_WORLDS"].flatMap(UInt64.init) ?? 500
      let styles = EnforcementStyle.all
      var flows = 0
      for seed in first..<first + count {
        let cluster = try readWorld(World(seed: seed).cluster.manifest, asStored: true)
        let (byClass, oneByOne) = try FlowSurveyTests.tallies(cluster, styles[Int(seed) % styles.count])
        #expect(byClass == oneByOne, "seed \(seed)")
        flows += oneByOne.total
      }
      print("\(count) worlds from seed \(first): \(flows) flows judged by class and one by one")
      #expect(flows > count)
    }
  }
}

extension Ruleset {
  /// Removes one of the rules that admit something for a policy.
  fileprivate mutating func removeAdmission(_ number: Int) {
    var places: [(table: Int, chain: Int, rule: Int)] = []
    for table in tables.indices {
      for chain in tables[table].chains.indices {
        for (rule, own) in tables[table].chains[chain].rules.enumerated()
        where own.origin?.policy != nil
          && own.statements.contains(where: { if case .setMark = $0 { true } else { false } })
        {
          places.append((table, chain, rule))
        }
      }
    }
    if places.isEmpty { return }
    let place = places[number % places.count]
    tables[place.table].chains[place.chain].rules.remove(at: place.rule)
  }
}
