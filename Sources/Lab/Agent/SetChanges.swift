internal import Kernel
internal import NetpolModel
internal import RuleIR

/// What makes the ipsets of one ruleset those of another.
struct SetChanges {
  /// To be sent before the rules that ask for the sets.
  private(set) var additions = IPSetBatch()
  /// To be sent when no rule asks for them any more.
  private(set) var removals = IPSetBatch()

  init(from old: [NamedSet], to new: [NamedSet]) {
    let before = Dictionary(old.map { ($0.name, $0) }) { first, _ in first }
    let after = Set(new.map(\.name))
    for set in new {
      let own = before[set.name]
      if own == set { continue }
      if own == nil { additions.create(set.name, set.ipsetType, set.family == .v4 ? .v4 : .v6) }
      let (stored, wanted) = (Set(own?.stored ?? []), Set(set.stored))
      let (gone, come) = (stored.subtracting(wanted), wanted.subtracting(stored))
      if !gone.isEmpty { additions.delete(gone.sorted().map { $0.entry(set.ipsetType) }, from: set.name) }
      if !come.isEmpty { additions.add(come.sorted().map { $0.entry(set.ipsetType) }, to: set.name) }
    }
    for set in old where !after.contains(set.name) { removals.destroy(set.name) }
  }
}

extension NamedSet {
  /// Interval sets are nft's alone.
  fileprivate var ipsetType: IPSetType { kind == .addresses ? .addresses : .blocks }
}

extension NamedSet.Member {
  fileprivate func entry(_ type: IPSetType) -> IPSetEntry {
    IPSetEntry(
      cidr.network.bytes, prefix: type == .blocks ? UInt8(cidr.prefixLength) : nil, nomatch: nomatch, timeout: 0)
  }
}
