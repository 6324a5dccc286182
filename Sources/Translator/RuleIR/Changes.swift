public import NetpolModel

/// What turns one ruleset into another: elements of sets where only those differ, else all of a family.
public struct RulesetChanges: Hashable, Sendable {
  public struct TableName: Hashable, Sendable {
    public let name: String
    public let family: IPFamily
    public init(name: String, family: IPFamily) {
      self.name = name
      self.family = family
    }
  }

  /// Of a `NamedSet`.
  public struct Members: Hashable, Sendable {
    public let set: SetName
    public let family: IPFamily
    public var removed: [NamedSet.Member]
    public var added: [NamedSet.Member]
    public init(set: SetName, family: IPFamily, removed: [NamedSet.Member], added: [NamedSet.Member]) {
      self.set = set
      self.family = family
      self.removed = removed
      self.added = added
    }
  }

  /// Of a `KeyedSet`. An element that stands for something else now is removed and added.
  public struct Elements: Hashable, Sendable {
    public let set: SetName
    public let family: IPFamily
    public var removed: [KeyedSet.Element]
    public var added: [KeyedSet.Element]
  }

  /// Families of which everything is another now.
  public var replaced: [IPFamily] = []
  /// What went with them.
  public var gone: [TableName] = []
  /// What takes their place.
  public var fresh: Ruleset
  public var members: [Members] = []
  public var elements: [Elements] = []

  /// None, for a back end.
  public init(fresh: Ruleset) { self.fresh = fresh }

  public var isEmpty: Bool { replaced.isEmpty && members.isEmpty && elements.isEmpty }
}

extension Ruleset {
  /// The fewest changes of elements, in both rulesets' order. A set keeps its size as long as the new elements fit.
  public func changes(to target: Ruleset) -> RulesetChanges {
    var changes = RulesetChanges(fresh: Ruleset(backend: target.backend))
    for family in IPFamily.allCases {
      let (old, new) = (of(family), target.of(family))
      if backend == target.backend, old.differsInElementsAlone(from: new) {
        changes.members += zip(old.sets, new.sets).compactMap { $0.changes(to: $1) }
        changes.elements += zip(old.keyedSets, new.keyedSets).compactMap { $0.changes(to: $1) }
      } else {
        changes.replaced.append(family)
        changes.gone += old.tables.map { RulesetChanges.TableName(name: $0.name, family: family) }
        changes.fresh.tables += new.tables
        changes.fresh.sets += new.sets
        changes.fresh.keyedSets += new.keyedSets
      }
    }
    return changes
  }

  /// The ruleset behind the changes.
  public func applying(_ changes: RulesetChanges) -> Ruleset {
    var result = self
    result.backend = changes.fresh.backend
    result.tables.removeAll { changes.replaced.contains($0.family) }
    result.sets.removeAll { changes.replaced.contains($0.family) }
    result.keyedSets.removeAll { changes.replaced.contains($0.family) }
    for index in result.sets.indices {
      let set = result.sets[index]
      for change in changes.members where change.set == set.name && change.family == set.family {
        let removed = Set(change.removed)
        result.sets[index].members = set.stored.filter { !removed.contains($0) } + change.added
      }
    }
    for index in result.keyedSets.indices {
      let set = result.keyedSets[index]
      for change in changes.elements where change.set == set.name && change.family == set.family {
        let removed = Set(change.removed)
        result.keyedSets[index].elements = (set.elements.filter { !removed.contains($0) } + change.added)
          .sorted(by: KeyedSet.Element.precedes)
      }
    }
    result.tables += changes.fresh.tables
    result.sets += changes.fresh.sets
    result.keyedSets += changes.fresh.keyedSets
    return result
  }

  private func of(_ family: IPFamily) -> Ruleset {
    Ruleset(
      backend: backend, tables: tables.filter { $0.family == family }, sets: sets.filter { $0.family == family },
      keyedSets: keyedSets.filter { $0.family == family })
  }

  private func differsInElementsAlone(from new: Ruleset) -> Bool {
    tables == new.tables && sets.count == new.sets.count && keyedSets.count == new.keyedSets.count
      && zip(sets, new.sets).allSatisfy { $0.canBecome($1) }
      && zip(keyedSets, new.keyedSets).allSatisfy { $0.canBecome($1) }
  }
}

extension NamedSet {
  fileprivate func canBecome(_ new: NamedSet) -> Bool {
    var emptied = (self, new)
    emptied.0.members = []
    emptied.1.members = []
    // nf_tables keeps ranges as their ends, which neighbours may share.
    return emptied.0 == emptied.1 && (kind != .interval || stored == new.stored)
  }

  fileprivate func changes(to new: NamedSet) -> RulesetChanges.Members? {
    if members == new.members { return nil }
    let (before, after) = (stored, new.stored)
    let (had, has) = (Set(before), Set(after))
    let change = RulesetChanges.Members(
      set: name, family: family, removed: before.filter { !has.contains($0) }, added: after.filter { !had.contains($0) }
    )
    return change.removed.isEmpty && change.added.isEmpty ? nil : change
  }
}

extension KeyedSet {
  fileprivate func canBecome(_ new: KeyedSet) -> Bool {
    name == new.name && fields == new.fields && hasRanges == new.hasRanges && isMap == new.isMap
      && (size == nil) == (new.size == nil) && size.map { new.elements.count <= $0 } ?? true
  }

  fileprivate func changes(to new: KeyedSet) -> RulesetChanges.Elements? {
    if elements == new.elements { return nil }
    let (had, has) = (Set(elements), Set(new.elements))
    let change = RulesetChanges.Elements(
      set: name, family: family, removed: elements.filter { !has.contains($0) },
      added: new.elements.filter { !had.contains($0) })
    return change.removed.isEmpty && change.added.isEmpty ? nil : change
  }
}
