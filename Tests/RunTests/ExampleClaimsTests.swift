// Not covered: the differences between variants (see ExpectationsTests, and a run of the examples).
import EngineComparison
import Foundation
import Lowering
import Manifests
import NetpolModel
import Oracle
import StandingLab
import TestSupport
import Testing
import Verdicts

@testable import Documents
@testable import Report
@testable import Run

/// The Expectations documents of an example, and the cluster of each group.
private struct ClaimedExample {
  let cluster: Cluster
  let groups: [GroupToCheck]

  init(_ name: String) throws {
    let source = { (path: String) in ManifestSource(name: path, text: try String(contentsOfFile: path, encoding: .utf8))
    }
    let reading = try readManifests(try exampleManifests(name).map(source))
    cluster = reading.cluster
    groups = try reading.expectations.map { group in
      GroupToCheck(group, cluster: try reading.cluster(of: group, addedSources: source))
    }
  }
}

@Suite("The claims of the examples", .serialized, .needsNamespaces)
struct ExampleClaimsTests {
  @Test("packets meet every expectation", arguments: ["dual-stack", "homelab", "icn"])
  func met(name: String) async throws {
    let example = try ClaimedExample(name)
    let report = try await blocking {
      try ClusterRun(style: .kubeRouterK3s, asksMatrix: false).run(
        example.cluster, expecting: example.groups, version: "test")
    }
    #expect(
      report.isAsExpected,
      "\(Document(sections: ExpectationSections(report.expectations, inFull: false).all).text(width: 120))")
    #expect(report.expectations.allSatisfy { $0.askedCount == $0.flows.count }, "every flow is asked")
  }

  /// Claims without a flow that a policy decides.
  static let withoutPolicy: Set<String> = ["A15", "A16"]

  @Test(
    "without the deciding rule the verdict changes, for a flow of every claim that a policy decides",
    arguments: ["homelab", "icn"])
  func flips(name: String) async throws {
    let example = try ClaimedExample(name)
    var flipped: [String: GroupToCheck] = [:]
    for group in example.groups {
      guard let claim = group.group.claim, flipped[claim] == nil, !Self.withoutPolicy.contains(claim) else { continue }
      let lab = try LabPlan(group.cluster, .kubeRouterK3s, versionStamp: "1")
      let backends = Backends(group.cluster, lab.topology)
      for expected in group.group.flows where flipped[claim] == nil {
        guard case .flow(let flow)? = lab.pairs(expected, backends, sctpObstacle: nil).first?.asking,
          lab.pairs(expected, backends, sctpObstacle: nil).count == 1,
          lab.comparer.compare(flow, nil).finding == .agreement,
          let other = try withoutDecider(flow, group.cluster)
        else { continue }
        var opposite = expected
        opposite.expect = expected.expect == .allow ? .deny : .allow
        opposite.mechanism = nil
        opposite.document = nil
        flipped[claim] = GroupToCheck(
          Expectations.Group(name: "\(claim) flipped", claim: claim, flows: [opposite]), cluster: other)
      }
    }
    let claims = Set(example.groups.compactMap(\.group.claim)).subtracting(Self.withoutPolicy)
    #expect(claims.subtracting(flipped.keys).isEmpty, "claims whose deciding rule was not found")
    let groups = flipped.sorted { $0.key < $1.key }.map(\.value)
    let report = try await blocking {
      try ClusterRun(style: .kubeRouterK3s, asksMatrix: false).run(example.cluster, expecting: groups, version: "test")
    }
    #expect(
      report.isAsExpected,
      "\(Document(sections: ExpectationSections(report.expectations, inFull: false).all).text(width: 120))")
  }

  /// The cluster without the rules that admitted the flow, or without the policies that isolated its ends: as many as
  /// needed. `nil` if no policy decides, or if kube-router deviates there.
  private func withoutDecider(_ flow: Flow, _ cluster: Cluster) throws -> Cluster? {
    var cluster = cluster
    let verdict = Oracle(cluster).judge(flow).verdict
    for _ in 0..<20 {
      let judgement = Oracle(cluster).judge(flow)
      if judgement.verdict != verdict {
        let lab = try LabPlan(cluster, .kubeRouterK3s, versionStamp: "1")
        return lab.comparer.compare(flow, nil).finding == .agreement ? cluster : nil
      }
      var removed = false
      for reason in judgement.because {
        switch reason {
        case .admitted(let direction, let policy, let rule, _) where !removed:
          guard let index = cluster.policies.firstIndex(where: { $0.id == policy }) else { return nil }
          switch direction {
          case .ingress: cluster.policies[index].ingress.remove(at: rule)
          case .egress: cluster.policies[index].egress.remove(at: rule)
          }
          removed = true
        case .isolated(_, let policies):
          cluster.policies.removeAll { policies.contains($0.id) }
          removed = true
        default: continue
        }
      }
      if !removed { return nil }
    }
    return nil
  }
}
