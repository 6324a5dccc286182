import Enforcement
import EngineComparison
import Foundation
import Lowering
import NetpolModel
import Path
import Run
import ServiceProxy
import StandingLab
import TestSupport
import Testing
import Verdicts

/// Reports without a lab. By default the kernel does what the rules say.
enum HandMadeReport {
  static func make(
    _ text: String, _ selection: ProbePlan.Selection = .init(), style: EnforcementStyle = .kubeRouterK3s,
    strict: Bool = false, expectations: [GroupResult] = [],
    kernel: (Flow, Verdict) -> Observation = { $1 == .allow ? .delivered : .refused(.reset) }
  ) throws -> RunReport {
    let cluster = try readWorld(text)
    let topology = Topology(cluster)
    let plan = ProbePlan(cluster, topology, only: selection)
    let enforced = try EnforcedCluster(cluster, topology, style, versionStamp: "1")
    let comparer = Comparer(cluster, enforced)
    let observations = plan.flows.map { kernel($0, enforced.journey(of: $0).verdict ?? .deny) }
    let comparisons =
      comparer.compare(plan.flows, observations).filter { $0.finding != .notChosen }
      + plan.unasked.map { comparer.compare($0.flow, nil) }
    return RunReport(
      environment: LabEnvironment.handMade(style.name), cluster: cluster, plan: plan, comparisons: comparisons,
      styleWarnings: enforced.findings.map(\.description) + enforced.serviceFindings.map(\.description),
      notInLab: topology.unplaced, strict: strict,
      timings: .init(build: .milliseconds(1), load: .milliseconds(20), probe: .milliseconds(300)),
      expectations: expectations)
  }

  static let pods =
    podText("app/web", on: "node1", labels: "app: web", ports: ["name: http, containerPort: 8080"])
    + podText("app/client", on: "node2") + podText("app/done", on: "node2", status: "phase: Succeeded")

  /// The pod may send nothing, but it can still send to its node's NodePorts (D8).
  static let policy = """
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {namespace: app, name: silence}
    spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Egress, Ingress]}
    ---

    """

  static let toNodePort = ProbePlan.Selection(
    source: .pod(PodID("app", "web")), destination: .node("node1"), ports: [TransportPort(.tcp, 30000)])
}

extension LabEnvironment {
  /// An environment made by hand.
  static func handMade(_ style: String) -> LabEnvironment {
    LabEnvironment(
      version: "test", style: style, kernel: "6.1.0", iptables: .found("iptables v1.8.9 (nf_tables)"),
      nft: .found("nftables v1.0.6"),
      ipset: .found("ipset v7.17"))
  }
}
