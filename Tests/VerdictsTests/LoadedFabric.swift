// Shorthand for the tests of this target. Contains no tests.
import Apply
import Enforcement
import Kernel
import Lowering
import NetpolModel
import Network
import Path
import RuleIR
import StandingLab
import Testing
import Verdicts

/// The machines of a cluster, with its rules in the kernel.
struct LoadedFabric {
  let plan: LabPlan
  let worker: NamespaceWorker
  let fabric: Fabric
  let backends: Backends

  /// `change` makes of a node's rules those that are loaded.
  init(
    _ cluster: Cluster, _ style: EnforcementStyle = .kubeRouterK3s,
    change: (_ node: String, Ruleset) -> Ruleset = { $1 }
  ) throws {
    plan = try LabPlan(cluster, style, versionStamp: "1")
    worker = try NamespaceWorker()
    fabric = try Fabric(
      plan.topology, families: cluster.families, bridgeNetfilter: cluster.settings.bridgeNetfilter, worker: worker)
    backends = Backends(cluster, plan.topology)
    let loader = try RuleLoader(worker: worker)
    for node in cluster.nodes {
      let namespace = try #require(fabric.namespace(ofNode: node.name))
      for rules in try #require(plan.enforced.rulesets[node.name]) {
        try loader.load(change(node.name, rules), in: namespace)
      }
    }
    for pod in plan.topology.forwarders {
      let namespace = try #require(fabric.namespace(of: .pod(pod)))
      for rules in try #require(plan.enforced.podRulesets[pod]) { try loader.load(rules, in: namespace) }
    }
  }
}
