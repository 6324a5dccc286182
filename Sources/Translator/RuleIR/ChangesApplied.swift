internal import NetpolModel

extension Ruleset {
  /// The ruleset after the changes. New parts are appended.
  public func applying(_ changes: RulesetChanges) -> Ruleset {
    var result = self
    result.backend = changes.fresh.backend
    result.tables.removeAll { changes.replaced.contains($0.family) }
    let gone = Set(changes.goneSets)
    result.sets.removeAll { changes.replaced.contains($0.family) || gone.contains($0.place) }
    result.keyedSets.removeAll { changes.replaced.contains($0.family) || gone.contains($0.place) }
    let members = Dictionary(changes.members.map { ($0.place, $0) }) { first, _ in first }
    for index in result.sets.indices {
      guard let change = members[result.sets[index].place] else { continue }
      let removed = Set(change.removed)
      result.sets[index].members = result.sets[index].stored.filter { !removed.contains($0) } + change.added
    }
    let elements = Dictionary(changes.elements.map { ($0.place, $0) }) { first, _ in first }
    for index in result.keyedSets.indices {
      guard let change = elements[result.keyedSets[index].place] else { continue }
      let removed = Set(change.removed)
      result.keyedSets[index].elements =
        (result.keyedSets[index].elements.filter { !removed.contains($0) } + change.added)
        .sorted(by: KeyedSet.Element.precedes)
    }
    for change in changes.chains {
      for index in result.tables.indices
      where result.tables[index].name == change.table.name && result.tables[index].family == change.table.family {
        result.tables[index].apply(change)
      }
    }
    result.tables += changes.fresh.tables
    result.sets += changes.fresh.sets
    result.keyedSets += changes.fresh.keyedSets
    return result
  }
}

extension Table {
  fileprivate mutating func apply(_ change: RulesetChanges.Chains) {
    let gone = Set(change.gone)
    let rewritten = Dictionary(change.rewritten.map { ($0.name, $0) }) { first, _ in first }
    chains = chains.filter { !gone.contains($0.name) }.map { rewritten[$0.name] ?? $0 } + change.fresh
  }
}

extension NamedSet {
  fileprivate var place: SetPlace { SetPlace(set: name, family: family) }
}

extension KeyedSet {
  fileprivate var place: SetPlace { SetPlace(set: name, family: family) }
}
