internal import Enforcement
internal import EngineComparison
internal import Kernel
public import Lowering
internal import NetpolModel
internal import Network
internal import Path
internal import PolicyDiff
internal import StandingLab
internal import Verdicts

/// Sends one packet for each row of a policy difference: once with the old policies loaded, once with the new ones.
public struct DiffRun: Sendable {
  public var style: EnforcementStyle
  /// kube-router's version stamp, which is part of its chain names.
  public var versionStamp = "1"

  public init(style: EnforcementStyle) { self.style = style }

  /// Adds the packets to the report. Throws `LabFailure` if this machine can't run the lab.
  public func run(_ report: inout PolicyDiffReport, progress: @escaping (ClusterRun.Progress) -> Void) throws {
    let difference = report.difference
    if difference.rows.isEmpty { return }
    try withWorker(version: report.version, style: style.name) { environment, worker in
      report.environment = environment
      progress(.lowering)
      let sctpObstacle = try ProbeSession.obstacle(to: .sctp, on: worker)
      let clusters = difference.clusters
      let old = try LabPlan(clusters.withoutClashes(.old), style, versionStamp: versionStamp)
      let new = try LabPlan(clusters.withoutClashes(.new), style, versionStamp: versionStamp)
      var choice = DiffFlowChoice(difference, old: old, new: new, sctpObstacle: sctpObstacle)
      let chosen = difference.rows.map { choice.flows(of: $0) }
      let pairs = chosen.compactMap { if case .flows(let old, let new) = $0 { (old: old, new: new) } else { nil } }
      if !pairs.isEmpty {
        let places = Places(pairs.map(\.old), in: old).union(Places(pairs.map(\.new), in: new))
        let asksSCTP = pairs.contains { $0.new.transport == .sctp }
        var lab = ReusableLab(transports: [.tcp, .udp] + (asksSCTP ? [.sctp] : []), worker: worker) {
          progress(.lab($0))
        }
        let before = try old.answers(to: pairs.map(\.old), places.nodes, places.pods, on: &lab)
        let after = try new.answers(to: pairs.map(\.new), places.nodes, places.pods, on: &lab)
        var answers = zip(before, after).makeIterator()
        report.packets = chosen.map { choice in
          switch choice {
          case .noFlow(let why): return .notSent(why)
          case .flows: return answers.next().map { .sent(old: $0, new: $1) } ?? .notSent("no answer")
          }
        }
      } else {
        report.packets = chosen.map { if case .noFlow(let why) = $0 { .notSent(why) } else { .notSent("no answer") } }
      }
    }
  }
}

/// The nodes and pods that some flows need.
private struct Places {
  var nodes: Set<String>
  var pods: Set<PodID>

  init(_ flows: [Flow], in plan: LabPlan) {
    let machines = Machines(
      flows, flows.map { plan.enforced.journey(of: $0) }, in: plan, PairFlows(plan.cluster, plan.topology))
    (nodes, pods) = (machines.nodes, machines.pods)
  }

  func union(_ other: Places) -> Places {
    var both = self
    both.nodes.formUnion(other.nodes)
    both.pods.formUnion(other.pods)
    return both
  }
}
