import DumpDiff
import Enforcement
import EngineComparison
import Lowering
import NetpolModel
import Path
import Proof
import RuleIR

/// What a node's dump means, beside what a style or the specification says there.
struct DumpMeaning {
  let cluster: Cluster
  let node: String
  let style: EnforcementStyle
  /// The cluster with the dump's policy rules on the node, and with the style's. Those of kube-proxy and others are as
  /// they are modelled: they set marks and choose endpoints.
  let dumped, stated: EnforcedCluster
  /// The dump's policy rules.
  let rules: Ruleset
  private let families: [IPFamily]

  /// Throws `InputError` if the dump can't be run: a rule of the style is not understood, or refers to what isn't there.
  init(_ dump: NodeRules, _ style: EnforcementStyle, on view: NodeView, of node: Node, in cluster: Cluster) throws {
    self.cluster = cluster
    self.node = node.name
    self.style = style
    let traces = style.traces(on: view)
    let expected = style.lower(view).ruleset
    if !dump.hasOwnRules(traces), !expected.tables.allSatisfy(\.chains.isEmpty) {
      throw InputError(
        "the dump holds no rule of \(style.name): take the dump as root, on a node that runs it, or give the --style that "
          + "wrote it")
    }
    var covered = view
    // A list of nftables' rules is always of all families: what it lacks is missing on the node.
    families = style.backend == .nftables ? view.families : dump.families(traces)
    covered.families = families
    for family in cluster.families where !families.contains(family) {
      Terminal.say("warning: \(family.rawValue) is not compared: the dump has none of its rules")
    }
    let rules: (dumped: Ruleset, stated: Ruleset)
    do throws(UnreadOwnRule) {
      rules = (try dump.own(traces, expected: expected), style.lower(covered).ruleset)
    } catch { throw InputError("the dump can't be compared by its meaning: \(error)") }
    let enforced = { (ruleset: Ruleset) throws(IllFormed) -> EnforcedCluster in
      let rewritten = style.rewriting { _, lowered in lowered.ruleset = ruleset }
      return try EnforcedCluster(cluster, Topology(cluster), rewritten, onNodes: [node.name], versionStamp: "1")
    }
    self.rules = rules.dumped
    do throws(IllFormed) {
      stated = try enforced(rules.stated)
      dumped = try enforced(rules.dumped)
    } catch { throw InputError("the dump can't be compared by its meaning: \(error)") }
  }

  func comparedWithStyle() -> RulesComparison {
    RulesComparison(cluster, dumped, stated, onNodes: [node], families: families)
  }

  func comparedWithSpecification() -> (proof: Proof, comparer: Comparer) {
    let comparer = Comparer(cluster, dumped)
    return (Proof(cluster, comparer, onNodes: [node], families: families), comparer)
  }
}
