internal import Lowering
internal import NetpolModel
internal import RuleIR

/// Loaded rules, and those of their sets that elements are added to.
struct UpdateTarget {
  let rules: String
  let ruleset: Ruleset
  let updates: [ElementUpdate]

  /// A single set for each back end, and the rules of the world in every style that has sets to change.
  static func all(_ world: ApplyWorld, _ styles: [EnforcementStyle]) -> [UpdateTarget] {
    let targets = styles.map { ofAddresses($0, world) } + styles.flatMap { ofKeys($0, world) }
    return [alone(.nftables), alone(.iptables)] + targets.filter { !$0.updates.isEmpty }
  }

  private static func alone(_ backend: Ruleset.Backend) -> UpdateTarget {
    let set = NamedSet(name: "s", family: .v4, kind: .addresses)
    let ruleset = Ruleset(
      backend: backend, tables: backend == .nftables ? [Table(name: "t", family: .v4)] : [], sets: [set])
    let rules = backend == .nftables ? "an nft set alone" : "an ipset alone"
    return UpdateTarget(
      rules: rules, ruleset: ruleset, updates: [.member(rules, of: set, called: "it", in: ruleset)])
  }

  private static func ofAddresses(_ style: EnforcementStyle, _ world: ApplyWorld) -> UpdateTarget {
    let ruleset = style.lower(world.view).ruleset
    let sets = ruleset.sets.filter { $0.kind == .addresses }
    let ends = [sets.first.map { ($0, "the first set") }, sets.last.map { ($0, "the last set") }].compactMap { $0 }
    return UpdateTarget(
      rules: style.name, ruleset: ruleset,
      updates: ends.map { .member(style.name, of: $0, called: "\($1) of \(ruleset.sets.count)", in: ruleset) })
  }

  /// Sets with ranges hold the policies' networks.
  private static func ofKeys(_ style: EnforcementStyle, _ world: ApplyWorld) -> [UpdateTarget] {
    if style.setTitles.isEmpty { return [] }
    var blocks = world
    blocks.hasBlocks = true
    return [
      ofKeys(style, world, "") { !$0.hasRanges },
      ofKeys(style, blocks, ", each policy with a network") { $0.hasRanges },
    ]
  }

  private static func ofKeys(
    _ style: EnforcementStyle, _ world: ApplyWorld, _ suffix: String, _ isWanted: (KeyedSet) -> Bool
  ) -> UpdateTarget {
    let ruleset = style.lower(world.view).ruleset
    return UpdateTarget(
      rules: style.name + suffix, ruleset: ruleset,
      updates: ruleset.keyedSets.filter(isWanted).compactMap { set in
        style.setTitles[set.name].flatMap {
          .element(style.name + suffix, of: set, called: "\($0), of \(set.elements.count)", in: ruleset)
        }
      })
  }
}
