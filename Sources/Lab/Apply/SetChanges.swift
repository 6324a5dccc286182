public import Kernel
internal import NetpolModel
internal import Rendering
public import RuleIR

/// The changes that turn the ipsets of one ruleset into those of another.
public struct SetChanges: Sendable {
  /// Must be sent before the rules that use the sets.
  public private(set) var additions = IPSetBatch()
  /// Must be sent when no rule uses the sets any more.
  public private(set) var removals = IPSetBatch()

  /// Throws `Unsupported` for a new interval set, which only nft has.
  public init(from old: [NamedSet], to new: [NamedSet]) throws {
    let before = Dictionary(old.map { ($0.name, $0) }) { first, _ in first }
    let after = Set(new.map(\.name))
    for set in new {
      guard let own = before[set.name] else {
        try create(set)
        continue
      }
      if own == set { continue }
      let (stored, wanted) = (Set(own.stored), Set(set.stored))
      let (gone, come) = (stored.subtracting(wanted), wanted.subtracting(stored))
      additions.delete(gone.sorted().map { $0.entry(of: set.kind) }, from: set.name)
      additions.add(come.sorted().map { $0.entry(of: set.kind) }, to: set.name)
    }
    for set in old where !after.contains(set.name) { removals.destroy(set.name) }
  }

  /// Returns `nil` if a set has another kind or family than before. It would have to be destroyed first, together with
  /// the rules that use it.
  init?(keepingKindsFrom old: [NamedSet], to new: [NamedSet]) throws {
    let before = Dictionary(old.map { ($0.name, $0) }) { first, _ in first }
    let keepsKinds = new.allSatisfy { set in
      before[set.name].map { $0.kind == set.kind && $0.family == set.family } ?? true
    }
    guard keepsKinds else { return nil }
    self = try SetChanges(from: old, to: new)
  }

  private mutating func create(_ set: NamedSet) throws {
    guard let type = IPSetType(rawValue: set.kind.rawValue) else {
      throw Unsupported("the \(set.kind.rawValue) set \(set.name)", in: "ipset")
    }
    additions.create(set.name, type, set.family.netlink)
    additions.add(set.stored.map { $0.entry(of: set.kind) }, to: set.name)
  }
}

extension NamedSet.Member {
  /// The member as an element of an ipset. Only sets of networks have prefixes. It stays until it is deleted.
  public func entry(of kind: NamedSet.Kind) -> IPSetEntry {
    IPSetEntry(
      cidr.network.bytes, prefix: kind == .addresses ? nil : UInt8(cidr.prefixLength), nomatch: nomatch, timeout: 0)
  }
}
