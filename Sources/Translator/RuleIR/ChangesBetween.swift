internal import NetpolModel

extension Ruleset {
  /// The smallest set of changes to elements, sets and chains, in the order of both rulesets. A set keeps its size as
  /// long as the new elements fit.
  public func changes(to target: Ruleset) -> RulesetChanges {
    var changes = RulesetChanges(target.backend)
    for family in IPFamily.allCases {
      let (old, new) = (of(family), target.of(family))
      if backend == target.backend, old.tables.map(\.identity) == new.tables.map(\.identity) {
        changes.addChanges(family, from: old, to: new)
      } else {
        changes.replaced.append(family)
        changes.gone += old.tables.map(\.identity.name)
        changes.fresh.tables += new.tables
        changes.fresh.sets += new.sets
        changes.fresh.keyedSets += new.keyedSets
      }
    }
    return changes
  }

  private func of(_ family: IPFamily) -> Ruleset {
    Ruleset(
      backend: backend, tables: tables.filter { $0.family == family }, sets: sets.filter { $0.family == family },
      keyedSets: keyedSets.filter { $0.family == family })
  }
}

extension RulesetChanges {
  fileprivate mutating func addChanges(_ family: IPFamily, from old: Ruleset, to new: Ruleset) {
    var gone: Set<SetName> = []
    let named = Dictionary(new.sets.map { ($0.name, $0) }) { first, _ in first }
    let keyed = Dictionary(new.keyedSets.map { ($0.name, $0) }) { first, _ in first }
    for set in old.sets {
      if let next = named[set.name], set.canBecome(next) {
        if let change = set.changes(to: next) { members.append(change) }
      } else {
        gone.insert(set.name)
      }
    }
    for set in old.keyedSets {
      if let next = keyed[set.name], set.canBecome(next) {
        if let change = set.changes(to: next) { elements.append(change) }
      } else {
        gone.insert(set.name)
      }
    }
    let before = Set(old.sets.map(\.name) + old.keyedSets.map(\.name))
    goneSets += (old.sets.map(\.name) + old.keyedSets.map(\.name)).filter(gone.contains)
      .map { SetPlace(set: $0, family: family) }
    fresh.sets += new.sets.filter { !before.contains($0.name) || gone.contains($0.name) }
    fresh.keyedSets += new.keyedSets.filter { !before.contains($0.name) || gone.contains($0.name) }
    var lost: Set<ChainName> = []
    for (table, next) in zip(old.tables, new.tables) {
      let change = Chains(from: table, to: next, without: gone)
      if !change.isEmpty { chains.append(change) }
      lost.formUnion(change.gone)
    }
    if lost.isEmpty { return }
    // Verdicts that lead to a chain that is removed and created again.
    for set in new.keyedSets where before.contains(set.name) && !gone.contains(set.name) {
      let place = SetPlace(set: set.name, family: family)
      let index = elements.firstIndex { $0.place == place }
      let changed = Set(index.map { elements[$0].removed + elements[$0].added } ?? [])
      let renewed = set.elements.filter { $0.chain.map(lost.contains) == true && !changed.contains($0) }
      if renewed.isEmpty { continue }
      if let index {
        elements[index].removed += renewed
        elements[index].added += renewed
      } else {
        elements.append(Elements(place, removed: renewed, added: renewed))
      }
    }
  }
}

extension RulesetChanges.Chains {
  /// Also rewrites chains whose rules refer to a removed set or jump to a removed chain.
  fileprivate init(from old: Table, to new: Table, without sets: Set<SetName>) {
    self.init(new.identity.name)
    let after = Dictionary(new.chains.map { ($0.name, $0) }) { first, _ in first }
    gone = old.chains.filter { chain in after[chain.name].map { !chain.canBecome($0) } ?? true }.map(\.name)
    let lost = Set(gone)
    let before = Dictionary(old.chains.map { ($0.name, $0) }) { first, _ in first }
    for chain in new.chains {
      guard !lost.contains(chain.name), let own = before[chain.name] else {
        fresh.append(chain)
        continue
      }
      if own != chain || chain.rules.contains(where: { $0.refers(toChains: lost, sets: sets) }) {
        rewritten.append(chain)
      }
    }
  }
}

extension Table {
  fileprivate struct Identity: Equatable {
    let name: RulesetChanges.TableName
    let comment: String?
  }
  /// Everything that a table has apart from its chains.
  fileprivate var identity: Identity {
    Identity(name: RulesetChanges.TableName(name: name, family: family), comment: comment)
  }
}

extension Chain {
  /// Whether changing the rules is enough.
  fileprivate func canBecome(_ new: Chain) -> Bool { base == new.base && comment == new.comment }
}

extension Rule {
  fileprivate func refers(toChains chains: Set<ChainName>, sets: Set<SetName>) -> Bool {
    if chains.isEmpty, sets.isEmpty { return false }
    let asks = matches.contains { match in
      switch match {
      case .inSet(_, let name, _), .keyed(_, in: let name): sets.contains(name)
      default: false
      }
    }
    return asks
      || statements.contains { statement in
        switch statement {
        case .setMarkFrom(_, map: let name), .verdictFrom(_, map: let name): sets.contains(name)
        default: statement.chains.contains(where: chains.contains)
        }
      }
  }
}

extension NamedSet {
  /// Whether changing the members is enough.
  fileprivate func canBecome(_ new: NamedSet) -> Bool {
    kind == new.kind && comment == new.comment && origin == new.origin
  }

  fileprivate func changes(to new: NamedSet) -> RulesetChanges.Members? {
    if members == new.members { return nil }
    let (removed, added) = differences(stored, new.stored, by: <)
    let change = RulesetChanges.Members(
      SetPlace(set: name, family: family), kind, removed: removed, added: added)
    return change.isEmpty ? nil : change
  }
}

extension KeyedSet {
  /// Whether changing the elements is enough.
  fileprivate func canBecome(_ new: KeyedSet) -> Bool {
    fields == new.fields && hasRanges == new.hasRanges && content == new.content
      && comment == new.comment && (size == nil) == (new.size == nil) && size.map { new.elements.count <= $0 } ?? true
  }

  fileprivate func changes(to new: KeyedSet) -> RulesetChanges.Elements? {
    let (removed, added) = differences(elements, new.elements, by: Element.precedes)
    let change = RulesetChanges.Elements(
      SetPlace(set: name, family: family), removed: removed, added: added)
    return change.isEmpty ? nil : change
  }
}

/// The elements that are in only one of two lists. Neither list may have duplicates. Correct for any order, with a
/// single pass over both lists if they are sorted.
private func differences<Element: Hashable>(
  _ old: [Element], _ new: [Element], by precedes: (Element, Element) -> Bool
) -> (removed: [Element], added: [Element]) {
  var (removed, added): ([Element], [Element]) = ([], [])
  var (left, right) = (0, 0)
  while left < old.count, right < new.count {
    if old[left] == new[right] {
      left += 1
      right += 1
    } else if precedes(new[right], old[left]) {
      added.append(new[right])
      right += 1
    } else {
      removed.append(old[left])
      left += 1
    }
  }
  removed += old[left...]
  added += new[right...]
  if removed.isEmpty || added.isEmpty { return (removed, added) }
  // Elements that are in both lists, but at different positions.
  let both = Set(removed).intersection(added)
  return both.isEmpty ? (removed, added) : (removed.filter { !both.contains($0) }, added.filter { !both.contains($0) })
}
