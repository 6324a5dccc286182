internal import Comparison
internal import Evaluator
internal import Lowering
internal import NetpolModel
internal import Path
internal import Rendering
internal import RuleIR

/// A rule that decided a flow, as its node's tool prints it.
struct DecidingRule {
  let node: String
  let chain: String
  /// From 1, as iptables --line-numbers counts.
  let number: Int
  let origin: Origin?
  let text: String

  /// `(policy app/web, ingress rule 0, web.yaml:3)`; empty where the rule was made from nothing of the user's.
  var originText: String {
    guard let origin else { return "" }
    var parts: [String] = []
    if let policy = origin.policy {
      parts.append("policy \(policy)")
      if let direction = origin.direction, let rule = origin.rule { parts.append("\(direction.keyword) rule \(rule)") }
    } else if let pod = origin.pod {
      parts.append("chain of pod \(pod)")
    }
    if let location = origin.location { parts.append("\(location)") }
    return parts.isEmpty ? "" : "(\(parts.joined(separator: ", ")))"
  }
}

extension EnforcedCluster {
  /// The rules that decided a walk, each once, in the order in which the packet met them.
  func decidingRules(_ walk: EvaluatedWalk, _ family: IPFamily) -> [DecidingRule] {
    walk.deciding.map { position, step in
      DecidingRule(
        node: position.node, chain: step.chain, number: step.index + 1, origin: step.rule.origin,
        text: text(of: step, family))
    }
  }

  /// In the language of whoever wrote it: kube-proxy's and flannel's rules are iptables' in every style. A rule that it
  /// can't say was never loaded; its statements say what it does.
  private func text(of step: Step, _ family: IPFamily) -> String {
    let backend = rulesets.values.joined().first { $0.table(step.table, family) != nil }?.backend ?? style.backend
    let text =
      switch backend {
      case .iptables: try? iptablesRuleText(step.rule, family)
      case .nftables: try? nftRuleText(step.rule, family)
      }
    return text.map { String($0.drop { $0 == " " }) } ?? "\(step.rule.statements)"
  }
}
