// Not covered: what is found (LintTests).
import EngineComparison
import Foundation
import Lint
import Lowering
import NetpolModel
import Run
import TestSupport
import Testing

@Suite("lint --prove", .serialized, .needsNamespaces) struct LintRunTests {
  @Test("packets show what each finding of the smallest clusters says") func codes() async throws {
    let folder = repository.appendingPathComponent("examples/codes")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    var (changed, shown) = (Set<Code>(), Set<Code>())
    for name in names where name.hasPrefix("NPL-8") || ["NPL-316.yaml", "NPL-317.yaml"].contains(name) {
      let cluster = try readWorld(String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8))
      let findings = Linter(cluster).findings
      let proofs = try await blocking {
        try LintRun(style: .kubeRouterK3s).prove(findings, in: cluster, version: "test") { _ in }
      }
      #expect(proofs.count == findings.count)
      for (finding, proof) in zip(findings, proofs) {
        #expect(!proof.isFinding, "\(name): \(finding)")
        switch proof {
        case .changed(let before, let after):
          #expect(before.observed != nil && before.observed != after.observed, "\(name): \(finding)")
          changed.insert(finding.code)
        case .shown(let answer):
          #expect(answer.observed == finding.witness?.verdict, "\(name): \(finding)")
          shown.insert(finding.code)
        case .notSent(let why): #expect(!why.isEmpty, "\(name): \(finding)")
        }
      }
    }
    #expect(
      changed.isSuperset(of: [
        .otherTypes, .lintPeerSelectsNoPod, .lintDNSOverUDP, .lintHostNetworkPeer,
        .lintServiceAddress,
      ]), "\(changed)")
    #expect(
      shown.isSuperset(of: [.selectsInVain, .lintEmptyEgress, .lintBlockOverPods, .lintBareNamespace]), "\(shown)")
  }
}
