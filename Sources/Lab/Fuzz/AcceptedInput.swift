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

  /// Does what `render` and `compare` do. Rules of a cluster are those of `style` on its first node. A dump is compared
  /// with what its source should have written.
  func use(_ style: EnforcementStyle, _ source: (rules: Ruleset, traces: Traces)?) throws {
    switch self {
    case .clusters(let clusters):
      for cluster in clusters {
        guard let node = cluster.nodes.first else { continue }
        _ = try InputFuzz.dumps(of: style.lower(NodeView(of: node, in: cluster)).ruleset)
      }
    case .dump(let dump):
      guard let source else { return }
      _ = try DumpComparison(dump, expected: source.rules, traces: source.traces, namesHold: false)
    }
  }
}
