internal import Evaluator
internal import NetpolModel
internal import Path
internal import Rendering
public import RuleIR

/// A rule that decided a flow.
public struct DecidingRule: Hashable, Sendable {
  /// The node's name, or the pod's with rules of its own.
  public let machine: String
  public let chain: String
  /// From 1, as with `iptables --line-numbers`.
  public let number: Int
  private let rule: Rule
  private let family: IPFamily
  private let backend: Ruleset.Backend

  init(_ step: Step, at position: Position, _ family: IPFamily, in enforced: EnforcedCluster) {
    machine = position.machine
    chain = step.chain
    number = step.index + 1
    rule = step.rule
    self.family = family
    backend = enforced.backend(ofTable: step.table, family)
  }

  /// What the rule was made from. `nil` if it was not made from the user's objects.
  public var origin: Origin? { rule.origin }

  /// The rule as its node's tool prints it. For a rule that the tool can't express, which was never loaded: its
  /// statements.
  public var text: String {
    let text =
      switch backend {
      case .iptables: try? iptablesRuleText(rule, family)
      case .nftables: try? nftRuleText(rule, family)
      }
    return text.map { String($0.drop { $0 == " " }) } ?? "\(rule.statements)"
  }

  /// For example `(policy app/web, ingress rule 0, web.yaml:3)`. Empty if the rule was not made from the user's
  /// objects.
  public var originText: String {
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
