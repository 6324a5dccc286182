internal import DumpDiff
internal import Dumps
internal import Lowering
internal import NetpolModel
internal import Rendering
internal import RuleIR

/// What a reader made of a hostile text.
enum AcceptedInput {
  case clusters([Cluster])
  case dump(NodeRules)

  /// Does what `render` and `compare` do. Rules of a cluster are those of `style` on its first node; a dump is compared
  /// with what its source should have written.
  func use(_ style: EnforcementStyle, _ source: (style: EnforcementStyle, view: NodeView)?) throws {
    switch self {
    case .clusters(let clusters):
      for cluster in clusters {
        guard let node = cluster.nodes.first else { continue }
        let rules = style.lower(NodeView(of: node, in: cluster)).ruleset
        switch rules.backend {
        case .nftables: _ = try nftText(rules)
        case .iptables:
          for table in rules.tables { _ = try iptablesRestoreText(table) }
          _ = try ipsetRestoreText(rules.sets)
        }
      }
    case .dump(let dump):
      guard let (style, view) = source else { return }
      _ = try DumpComparison(
        dump, expected: style.lower(view).ruleset, traces: style.traces(on: view), namesHold: false)
    }
  }
}
