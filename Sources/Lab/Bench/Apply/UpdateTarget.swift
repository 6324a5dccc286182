internal import Lowering
internal import NetpolModel
internal import RuleIR

/// Loaded rules, and the sets of them that elements come into.
struct UpdateTarget {
  let rules: String
  let ruleset: Ruleset
  let updates: [ElementUpdate]

  /// A single set of each back end, and the rules of the world.
  static func all(_ world: ApplyWorld) -> [UpdateTarget] {
    var blocks = world
    blocks.hasBlocks = true
    return [
      alone(.nftables), alone(.iptables), .kubeRouter(.kubeRouterK3s, world), .kubeRouter(.kubeRouterNftables, world),
      .compiled(world, ["ia": "the peers", "ig": "the pods"], ""),
      .compiled(blocks, ["ib": "the networks"], ", each policy with a network"),
    ]
  }

  private static func alone(_ backend: Ruleset.Backend) -> UpdateTarget {
    let set = NamedSet(name: "s", family: .v4, kind: .addresses)
    let ruleset = Ruleset(
      backend: backend, tables: backend == .nftables ? [Table(name: "t", family: .v4)] : [], sets: [set])
    let rules = backend == .nftables ? "an nft set alone" : "an ipset alone"
    return UpdateTarget(
      rules: rules, ruleset: ruleset, updates: [.member(rules, of: set, called: "it", in: ruleset)])
  }

  private static func kubeRouter(_ style: EnforcementStyle, _ world: ApplyWorld) -> UpdateTarget {
    let ruleset = style.lower(world.view).ruleset
    let sets = ruleset.sets.filter { $0.kind == .addresses }
    let ends = [sets.first.map { ($0, "the first set") }, sets.last.map { ($0, "the last set") }].compactMap { $0 }
    return UpdateTarget(
      rules: style.name, ruleset: ruleset,
      updates: ends.map { .member(style.name, of: $0, called: "\($1) of \(ruleset.sets.count)", in: ruleset) })
  }

  private static func compiled(_ world: ApplyWorld, _ names: [SetName: String], _ suffix: String) -> UpdateTarget {
    let style = EnforcementStyle.compiled
    let ruleset = style.lower(world.view).ruleset
    return UpdateTarget(
      rules: style.name + suffix, ruleset: ruleset,
      updates: ruleset.keyedSets.compactMap { set in
        names[set.name].flatMap {
          .element(style.name + suffix, of: set, called: "\($0), of \(set.elements.count)", in: ruleset)
        }
      })
  }
}
