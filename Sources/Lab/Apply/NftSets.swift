internal import Algorithms
internal import Kernel
internal import NetpolModel
internal import Rendering
internal import RuleIR

extension NftPieces {
  /// The sets of one family, to refer to by name. They already exist.
  static func sets(of ruleset: Ruleset, _ family: IPFamily) -> [SetName: NftSet] {
    var sets: [SetName: NftSet] = [:]
    for set in ruleset.sets where set.family == family { sets[set.name] = set.netlink(id: 0) }
    for set in ruleset.keyedSets where set.family == family { sets[set.name] = set.netlink(id: 0) }
    return sets
  }

  /// Adds the sets of the table's family, with their elements. Returns them by name.
  mutating func add(_ sets: [NamedSet], _ keyedSets: [KeyedSet], _ table: Table) throws -> [SetName: NftSet] {
    var added: [SetName: NftSet] = [:]
    for set in sets where set.family == table.family { added[set.name] = try add(set, table) }
    for set in keyedSets where set.family == table.family { added[set.name] = try add(set, table) }
    return added
  }

  mutating func takeAway(_ change: RulesetChanges.Elements, _ set: KeyedSet, _ table: Table) {
    // What a map assigns isn't part of the key.
    let removed = set.netlink(change.removed.map { KeyedSet.Element($0.key, through: $0.through) })
    append(.set(set.name)) {
      $0.deleteElements(removed, from: set.netlink(id: 0), in: table.name, table.family.netlink)
    }
  }

  mutating func addElements(_ change: RulesetChanges.Elements, _ set: KeyedSet, _ table: Table) {
    append(.set(set.name)) {
      $0.addElements(set.netlink(change.added), to: set.netlink(id: 0), in: table.name, table.family.netlink)
    }
  }

  mutating func change(_ change: RulesetChanges.Members, _ table: Table) {
    let set = NamedSet(name: change.place.set, family: change.place.family, kind: change.kind)
    append(.set(set.name)) {
      $0.deleteElements(set.elements(change.removed), from: set.netlink(id: 0), in: table.name, table.family.netlink)
      $0.addElements(set.elements(change.added), to: set.netlink(id: 0), in: table.name, table.family.netlink)
    }
  }

  private mutating func add(_ set: NamedSet, _ table: Table) throws -> NftSet {
    if set.kind == .hashNet { throw Unsupported("the set \(set.name) of type hash:net", in: "nft") }
    var added = set.netlink(id: nextSetID())
    added.comment = try set.comment.map(nftComment)
    append(.set(set.name)) { $0.addSet(added, in: table.name, table.family.netlink) }
    let members = set.stored
    if set.kind == .interval {
      // nf_tables stores only starts and ends, and would read some overlapping ranges as different ranges.
      for (one, next) in members.adjacentPairs() where one.cidr.overlaps(next.cidr) {
        throw Unsupported(
          "the overlapping members \(one.cidr) and \(next.cidr) of the interval set \(set.name)", in: "nft")
      }
    }
    let elements = set.elements(members, isWhole: true)
    var start = 0
    while start < elements.count {
      var end = min(start + NftBatch.elementsInMessage, elements.count)
      // A range must end in the same transaction in which it starts.
      if set.kind == .interval, end < elements.count {
        while end > start + 1, !elements[end - 1].isEnd { end -= 1 }
      }
      splitIfFull()
      append(.set(set.name)) {
        $0.addElements(Array(elements[start..<end]), to: added, in: table.name, table.family.netlink)
      }
      start = end
    }
    splitIfFull()
    return added
  }

  private mutating func add(_ set: KeyedSet, _ table: Table) throws -> NftSet {
    var added = set.netlink(id: nextSetID())
    added.comment = try set.comment.map(nftComment)
    append(.set(set.name)) { $0.addSet(added, in: table.name, table.family.netlink) }
    for piece in set.netlink(set.elements).chunks(ofCount: NftBatch.elementsInMessage) {
      splitIfFull()
      append(.set(set.name)) { $0.addElements(Array(piece), to: added, in: table.name, table.family.netlink) }
    }
    splitIfFull()
    return added
  }
}

extension NamedSet {
  fileprivate func netlink(id: UInt32) -> NftSet {
    NftSet(name, [family == .v4 ? .ipv4 : .ipv6], id: id, isInterval: kind == .interval)
  }

  fileprivate func elements(_ members: [Member], isWhole: Bool = false) -> [NftElement] {
    kind == .interval
      ? intervalElements(members.map { ($0.cidr.firstAddress.bytes, $0.cidr.lastAddress.bytes) }, isWhole: isWhole)
      : members.map { NftElement($0.cidr.network.bytes) }
  }
}
