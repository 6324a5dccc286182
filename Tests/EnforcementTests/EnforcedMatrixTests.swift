// What this does not show: how long it takes for thousands of pods.
import Enforcement
import Evaluator
import Foundation
import Lowering
import NetpolModel
import Path
import Statistics
import TestSupport
import Testing
import Worlds

extension Slow {
  @Suite("All packets at once") struct EnforcedMatrixTests {
    @Test(
      "Through every node's rules, all packets at once have the verdicts of single ones",
      arguments: EnforcementStyle.all.map(\.name))
    func verdictsAreThoseOfWalks(name: String) throws {
      let style = try #require(EnforcementStyle.all.first { $0.name == name })
      var asked = 0
      var open = 0
      var verdicts: Set<Verdict> = []
      for seed in UInt64(90_000)..<90_060 {
        let cluster = try readWorld(World(seed: seed).cluster.manifest, asStored: true)
        let topology = Topology(cluster)
        let enforced = try EnforcedCluster(cluster, topology, style, versionStamp: "1")
        let endpoints =
          cluster.pods.map { Endpoint.pod($0.id) } + cluster.nodes.map { .node($0.name) }
          + cluster.externalHosts.map { .external($0.name) }
        for family in cluster.families {
          let matrix = EnforcedMatrix(enforced, family, dividedBy: [])
          let reported = matrix.space.ports.representatives.map(Flow.Question.port) + [.echo]
          for question in reported.shuffled(seed: seed).prefix(12) {
            let answers = matrix.answers(to: matrix.space.number(of: question))
            for source in endpoints {
              guard let sender = matrix.sender(source) else { continue }
              let row = answers.row(of: sender)
              for destination in endpoints where destination != source {
                guard let flow = topology.flow(from: source, to: destination, question, family),
                  let number = matrix.space.number(of: flow.destinationAddress)
                else { continue }
                asked += 1
                if row.open.contains(number) {
                  open += 1
                  continue
                }
                let verdict = enforced.verdict(of: flow)
                guard let verdict else {
                  #expect(!row.allowed.contains(number), "seed \(seed): \(flow) has no route")
                  continue
                }
                verdicts.insert(verdict)
                #expect(
                  row.allowed.contains(number) == (verdict == .allow), "seed \(seed), \(family.rawValue): \(flow)")
              }
            }
          }
        }
      }
      #expect(verdicts.count == 2)
      #expect(asked > 10_000)
      // Only what a Service, a host port or a forwarding pod translates.
      #expect(open * 5 < asked, "\(open) of \(asked)")
    }
  }
}

extension Array {
  fileprivate func shuffled(seed: UInt64) -> [Element] {
    var random = SplitMix64(seed: seed)
    return random.some(count, of: self)
  }
}
