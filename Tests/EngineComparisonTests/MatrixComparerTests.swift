// What this does not show: flows to services, host ports and pods that send packets on. They are judged one by one.
import Enforcement
import EngineComparison
import Evaluator
import Foundation
import Lowering
import NetpolModel
import Path
import Statistics
import TestSupport
import Testing
import Worlds

@Suite("All flows compared at once") struct MatrixComparerTests {
  @Test(
    "All flows compared at once have the findings of single ones", arguments: EnforcementStyle.all.map(\.name))
  func findingsAreThoseOfSingleFlows(name: String) throws {
    let style = try #require(EnforcementStyle.all.first { $0.name == name })
    var found: Set<String> = []
    var asked = 0
    let worlds = Int(ProcessInfo.processInfo.environment["NETPOL_WORLDS"] ?? "") ?? 25
    let first = UInt64(ProcessInfo.processInfo.environment["NETPOL_SEED"] ?? "") ?? 91_000
    for seed in first..<first + UInt64(worlds) {
      let cluster = try readWorld(World(seed: seed).cluster.manifest, asStored: true)
      let topology = Topology(cluster)
      let comparer = Comparer(cluster, try EnforcedCluster(cluster, topology, style, versionStamp: "1"))
      let endpoints =
        cluster.pods.map { Endpoint.pod($0.id) } + cluster.nodes.map { .node($0.name) }
        + cluster.externalHosts.map { .external($0.name) }
      var random = SplitMix64(seed: seed)
      for family in cluster.families {
        let matrix = MatrixComparer(cluster, comparer, family, dividedBy: cluster.portBorders)
        let questions = matrix.enforced.space.ports.representatives.map(Flow.Question.port) + [.echo]
        for question in random.some(8, of: questions) {
          let answers = matrix.answers(to: question)
          for source in endpoints {
            guard let sender = matrix.enforced.sender(source) else { continue }
            let row = answers.row(of: sender)
            for destination in random.some(6, of: endpoints) where destination != source {
              guard let flow = topology.flow(from: source, to: destination, question, family),
                let number = matrix.enforced.space.number(of: flow.destinationAddress), !row.open.contains(number)
              else { continue }
              asked += 1
              let comparison = comparer.compare(flow, nil)
              let said: String =
                switch comparison.finding {
                case .agreement: "agreement"
                case .deviation: "deviation"
                case .unexplained: "unexplained"
                case .deviationMissing: "missing"
                case .noRoute, .kernelDisagrees, .undecided, .notChosen, .notModelled: "none"
                }
              if said == "none" { continue }
              found.insert(said)
              let expected =
                row.deviating.contains(number)
                ? "deviation"
                : row.unexplained.contains(number)
                  ? "unexplained" : row.missing.contains(number) ? "missing" : "agreement"
              #expect(expected == said, "seed \(seed): \(flow)")
              #expect(row.allowed.contains(number) == (comparison.evaluated == .allow), "seed \(seed): \(flow)")
            }
          }
        }
      }
    }
    #expect(found.contains("agreement"))
    #expect(found.contains("deviation") || style.traits.deviations.isEmpty)
    #expect(asked > 1_000)
  }
}
