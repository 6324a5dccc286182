import EngineComparison
// Not covered: which change is the smallest (RemediesTests).
import Foundation
import Lowering
import Manifests
import NetpolModel
import Oracle
import Path
import Remedies
import Run
import TestSupport
import Testing
import Verdicts
import Worlds

@Suite("What would turn a verdict, with packets", .serialized, .needsNamespaces) struct AdviceRunTests {
  @Test(
    "in random worlds the changed files let the packet through, and the removals stop it",
    arguments: [EnforcementStyle.kubeRouterK3s, .compiled])
  func packets(style: EnforcementStyle) async throws {
    try await blocking {
      var (opened, stopped, known) = (0, 0, 0)
      for seed in UInt64(33_000)..<33_012 {
        var options = ReadOptions()
        options.validation = .asStored
        let text = World(seed: seed).cluster.manifest
        let reading = try readManifests([ManifestSource(name: "world", text: text)], options: options)
        let cluster = reading.cluster
        let pods = cluster.pods.filter { !$0.hostNetwork && !$0.phase.isTerminal }.prefix(4)
        for (from, to) in zip(pods, pods.dropFirst()) {
          var selection = ProbePlan.Selection()
          (selection.sources, selection.destinations) = ([.pod(from.id)], [.pod(to.id)])
          selection.ports = [.question(.port(TransportPort(.tcp, 80)))]
          var run = ClusterRun(style: style, selection: selection)
          run.advice = AdviceRequest(most: 2, mostPods: nil) { edits in
            reading.patch(edits).map { ($0.files, $0.reading.cluster) }
          }
          guard let selected = try? run.selected(in: cluster, Topology(cluster)) else { continue }
          let report = try run.run(selected, version: "test")
          for explained in report.explained {
            switch explained.advice {
            case .allowing(let remedies, _)?:
              for one in remedies {
                #expect(!one.files.isEmpty, "seed \(seed) \(explained.comparison.flow)")
                if case .deviation = one.after.finding {
                  known += 1
                } else {
                  #expect(one.after.observed == .allow, "seed \(seed) \(explained.comparison.flow) \(one.remedy.edits)")
                  opened += 1
                }
              }
            case .closing(let remedies, _)?:
              for one in remedies {
                if case .deviation = one.after.finding {
                  known += 1
                } else {
                  #expect(one.after.observed == .deny, "seed \(seed) \(explained.comparison.flow) \(one.remedy.edits)")
                  stopped += 1
                }
              }
            case .hopeless?, .notSought?, nil: break
            }
          }
        }
      }
      #expect(opened > 5 && stopped > 2, "\(opened) opened, \(stopped) stopped, \(known) deviations")
    }
  }
}
