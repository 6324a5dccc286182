internal import NetpolModel
package import RuleIR

extension Set where Element == RuleKind {
  /// The kinds that the rules contain.
  package init(of rules: [Rule]) {
    self.init(rules.flatMap { $0.matches.map { RuleKind($0) } + $0.statements.map { RuleKind($0) } })
  }

  /// The kinds that a back end can express.
  package static func sayable(in backend: Ruleset.Backend) -> Self {
    let rest: Self =
      switch backend {
      case .iptables:
        [.keyed, .setMarkFrom, .addresses, .translated, .goto, .verdictFrom, .gotoRandomly, .dnatRandomly]
      case .nftables: [.bridged, .random, .sourcePort, .notrack]
      }
    return Self(RuleKind.allCases).subtracting(rest)
  }
}

/// One rule for each match or statement that the back end can't express.
package func unsayableRules(in backend: Ruleset.Backend) -> [Rule] {
  switch backend {
  case .iptables:
    [
      Rule([.keyed([.mark, .port], in: "s")], [.accept]), Rule([], [.setMarkFrom([.mark], map: "s")]),
      Rule([.addresses(.source, [])], [.accept]), Rule([.translated], [.accept]), Rule([], [.goto("c")]),
      Rule([], [.verdictFrom([.mark], map: "s")]), Rule([], [.gotoRandomly(["c"])]), Rule([], [.dnatRandomly([])]),
    ]
  case .nftables:
    [
      Rule([.bridged], [.accept]), Rule([.random(share: 1)], [.accept]),
      Rule([.sourcePort(.tcp, PortRange(53))], [.accept]), Rule([], [.notrack]),
    ]
  }
}
