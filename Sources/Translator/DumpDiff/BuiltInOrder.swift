internal import Dumps
internal import NetpolModel
internal import Rendering
internal import RuleIR

/// A rule of a built-in chain, as a value or as unread text.
struct OrderedRule {
  let text: String
  let isJump: Bool
  let isExplicitAccept: Bool
  /// kube-router searches the whole rule for this text.
  var mentionsKube: Bool { text.contains("KUBE") }
  let refuses: Bool
}

extension NodeRules {
  /// All rules of a built-in chain, in order.
  func order(of chain: Chain, in table: Table) -> [OrderedRule] {
    var rules = chain.rules.map { rule in
      OrderedRule(
        text: "-A \(chain.name)" + ((try? iptablesRuleText(rule, table.family)) ?? ""),
        isJump: rule.isKubeRoutersInBuiltInChain && !rule.isExplicitAccept, isExplicitAccept: rule.isExplicitAccept,
        refuses: rule.statements.contains {
          switch $0 {
          case .drop, .reject: true
          default: false
          }
        })
    }
    // The position of an unread rule is the number of rules before it that were read.
    let unread = unreadRules.filter { $0.table == table.name && $0.chain == chain.name && $0.family == table.family }
    for rule in unread.reversed() where rule.position <= rules.count {
      rules.insert(
        OrderedRule(
          text: rule.text, isJump: false, isExplicitAccept: false,
          refuses: rule.text.contains("-j DROP") || rule.text.contains("-j REJECT")), at: rule.position)
    }
    return rules
  }
}

extension Rule {
  /// The jump, or the explicit ACCEPT of k3s's fork.
  var isKubeRoutersInBuiltInChain: Bool {
    comment?.hasPrefix("kube-router netpol - ") == true || isExplicitAccept
  }

  var isExplicitAccept: Bool {
    comment == "KUBE-ROUTER rule to explicitly ACCEPT traffic that comply to network policies"
  }
}
