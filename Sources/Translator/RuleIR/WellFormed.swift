internal import Algorithms
public import NetpolModel

/// A defect in a ruleset that a kernel would reject.
public struct IllFormed: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Defect: Hashable, Sendable {
    case unknownChain(ChainName)
    case unknownSet(SetName)
    case jumpCycle(through: ChainName)
    /// At most 28 bytes with iptables (`XT_EXTENSION_MAXNAMELEN`), 255 with nftables (`NFT_NAME_MAXLEN` with its NUL).
    case chainNameTooLong(ChainName)
    /// At most 31 bytes with ipset (`IPSET_MAXNAMELEN` with its NUL), 255 with nftables.
    case setNameTooLong(SetName)
    case duplicateChain(ChainName)
    case wrongFamily(SetName)
    case memberOfWrongFamily(SetName, CIDR)
    case networkInAddressSet(SetName, CIDR)
    case duplicateSet(SetName)
    /// The key has other fields than the set, or what it assigns is not what the rule needs.
    case wrongKey(SetName)
    /// The element lacks a value for a field or has a value that is too large. Or it has a range, mark or verdict where
    /// none is allowed, or lacks one that is required.
    case badElement(SetName)
    /// The same key twice, or overlapping ranges.
    case overlappingElements(SetName)
    /// More elements than the set's size.
    case tooManyElements(SetName)
  }
  public let defect: Defect
  public init(defect: Defect) { self.defect = defect }
  public var description: String {
    switch defect {
    case .unknownChain(let name): "a rule jumps to chain \(name), which does not exist"
    case .unknownSet(let name): "a rule refers to set \(name), which does not exist"
    case .jumpCycle(let name): "jumps form a cycle through chain \(name)"
    case .chainNameTooLong(let name): "chain name \(name) is too long"
    case .setNameTooLong(let name): "set name \(name) is too long"
    case .duplicateChain(let name): "chain \(name) is defined twice"
    case .wrongFamily(let name): "set \(name) has another address family than the table that uses it"
    case .memberOfWrongFamily(let name, let cidr): "set \(name) holds \(cidr) of the other address family"
    case .networkInAddressSet(let name, let cidr): "set \(name) of type hash:ip holds the network \(cidr)"
    case .duplicateSet(let name): "set \(name) is defined twice"
    case .wrongKey(let name): "a rule uses set \(name) with the wrong key fields or in the wrong role (set or map)"
    case .badElement(let name): "set \(name) holds an element that is not of its type"
    case .overlappingElements(let name): "set \(name) holds one key twice, or ranges that overlap"
    case .tooManyElements(let name): "set \(name) holds more elements than its size"
    }
  }
}

extension Ruleset {
  /// Throws `IllFormed` for the first defect. Checks that jumps resolve and don't loop, that names fit, and that sets
  /// contain only what their type allows.
  public func checkWellFormed() throws(IllFormed) {
    var families: [SetName: Set<IPFamily>] = [:]
    for name in sets.map(\.name) + keyedSets.map(\.name)
    where name.utf8.count > (backend == .nftables ? 255 : 31) {
      throw IllFormed(defect: .setNameTooLong(name))
    }
    for chain in tables.flatMap(\.chains) where chain.name.utf8.count > (backend == .nftables ? 255 : 28) {
      throw IllFormed(defect: .chainNameTooLong(chain.name))
    }
    for set in sets {
      families[set.name, default: []].insert(set.family)
      for member in set.members {
        if member.cidr.family != set.family { throw IllFormed(defect: .memberOfWrongFamily(set.name, member.cidr)) }
        if set.kind == .addresses, !member.cidr.isHost {
          throw IllFormed(defect: .networkInAddressSet(set.name, member.cidr))
        }
      }
    }
    var keyed: [IPFamily: [SetName: KeyedSet]] = [:]
    for set in keyedSets {
      guard keyed[set.family, default: [:]].updateValue(set, forKey: set.name) == nil,
        families[set.name]?.contains(set.family) != true
      else { throw IllFormed(defect: .duplicateSet(set.name)) }
      try set.checkWellFormed()
    }
    for table in tables { try table.checkWellFormed(setFamilies: families, keyed[table.family] ?? [:]) }
  }
}

extension Table {
  fileprivate func checkWellFormed(
    setFamilies: [SetName: Set<IPFamily>], _ keyedSets: [SetName: KeyedSet]
  ) throws(IllFormed) {
    var targets: [ChainName: Set<ChainName>] = [:]
    for chain in chains {
      if targets[chain.name] != nil { throw IllFormed(defect: .duplicateChain(chain.name)) }
      targets[chain.name] = []
      for rule in chain.rules {
        for (name, fields, content) in rule.keyedLookups {
          guard let set = keyedSets[name] else { throw IllFormed(defect: .unknownSet(name)) }
          guard set.fields == fields.map(\.type), set.content == content else {
            throw IllFormed(defect: .wrongKey(name))
          }
          if content == .verdicts { targets[chain.name, default: []].formUnion(set.elements.compactMap(\.chain)) }
        }
        for match in rule.matches {
          guard case .inSet(_, let name, _) = match else { continue }
          guard let families = setFamilies[name] else { throw IllFormed(defect: .unknownSet(name)) }
          if !families.contains(family) { throw IllFormed(defect: .wrongFamily(name)) }
        }
        for statement in rule.statements { targets[chain.name, default: []].formUnion(statement.chains) }
      }
    }
    var finished: Set<ChainName> = []
    for chain in chains {
      var onPath: Set<ChainName> = []
      try visit(chain.name, targets, &onPath, &finished)
    }
  }

  private func visit(
    _ name: ChainName, _ targets: [ChainName: Set<ChainName>], _ onPath: inout Set<ChainName>,
    _ finished: inout Set<ChainName>
  ) throws(IllFormed) {
    if finished.contains(name) { return }
    guard let next = targets[name] else { throw IllFormed(defect: .unknownChain(name)) }
    guard onPath.insert(name).inserted else { throw IllFormed(defect: .jumpCycle(through: name)) }
    for target in next { try visit(target, targets, &onPath, &finished) }
    onPath.remove(name)
    finished.insert(name)
  }
}

extension Rule {
  /// Every lookup in a keyed set, and what the rule needs from it.
  var keyedLookups: [(SetName, [PacketField], KeyedSet.Content)] {
    let asked = matches.compactMap { match -> (SetName, [PacketField], KeyedSet.Content)? in
      if case .keyed(let fields, let name) = match { (name, fields, .keys) } else { nil }
    }
    return asked
      + statements.compactMap { statement in
        switch statement {
        case .setMarkFrom(let fields, let name): (name, fields, .marks)
        case .verdictFrom(let fields, let name): (name, fields, .verdicts)
        default: nil
        }
      }
  }
}

extension KeyedSet {
  fileprivate func checkWellFormed() throws(IllFormed) {
    if let size, elements.count > size { throw IllFormed(defect: .tooManyElements(name)) }
    let highest = fields.map { UInt128.max >> UInt128(128 - $0.bitWidth(family)) }
    for element in elements {
      guard element.key.count == fields.count, zip(element.key, highest).allSatisfy({ $0 <= $1 }),
        (element.value?.content ?? .keys) == content, (element.through != nil) == hasRanges,
        element.through.map({ through in
          zip(element.key, highest).reversed().first.map { $0 <= through && through <= $1 } ?? false
        }) ?? true
      else { throw IllFormed(defect: .badElement(name)) }
    }
    if !hasRanges {
      if Set(elements.map(\.key)).count < elements.count { throw IllFormed(defect: .overlappingElements(name)) }
      return
    }
    for (one, next) in elements.sorted(by: Element.precedes).adjacentPairs()
    where one.key.dropLast() == next.key.dropLast() {
      guard let end = one.through, let start = next.key.last, end < start else {
        throw IllFormed(defect: .overlappingElements(name))
      }
    }
  }
}
