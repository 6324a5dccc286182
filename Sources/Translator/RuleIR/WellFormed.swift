public import NetpolModel

/// Something in a ruleset that a kernel would refuse.
public struct IllFormed: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Defect: Hashable, Sendable {
    case unknownChain(ChainName)
    case unknownSet(SetName)
    case jumpCycle(through: ChainName)
    /// At most 28 bytes (`XT_EXTENSION_MAXNAMELEN`).
    case chainNameTooLong(ChainName)
    /// At most 31 bytes (`IPSET_MAXNAMELEN` with its NUL).
    case setNameTooLong(SetName)
    case duplicateChain(ChainName)
    case wrongFamily(SetName)
    case memberOfWrongFamily(SetName, CIDR)
    case networkInAddressSet(SetName, CIDR)
  }
  public let defect: Defect
  public init(defect: Defect) { self.defect = defect }
  public var description: String {
    switch defect {
    case .unknownChain(let name): "a rule jumps to chain \(name), which does not exist"
    case .unknownSet(let name): "a rule refers to set \(name), which does not exist"
    case .jumpCycle(let name): "jumps form a cycle through chain \(name)"
    case .chainNameTooLong(let name): "chain name \(name) is longer than 28 bytes"
    case .setNameTooLong(let name): "set name \(name) is longer than 31 bytes"
    case .duplicateChain(let name): "chain \(name) is defined twice"
    case .wrongFamily(let name): "set \(name) is of the other address family than the table that uses it"
    case .memberOfWrongFamily(let name, let cidr): "set \(name) holds \(cidr) of the other address family"
    case .networkInAddressSet(let name, let cidr): "set \(name) of type hash:ip holds the network \(cidr)"
    }
  }
}

extension Ruleset {
  /// Throws the first defect: jumps resolve and don't loop, names fit, sets hold what their type can.
  public func checkWellFormed() throws(IllFormed) {
    var families: [SetName: Set<IPFamily>] = [:]
    for set in sets {
      families[set.name, default: []].insert(set.family)
      if set.name.utf8.count > 31 { throw IllFormed(defect: .setNameTooLong(set.name)) }
      for member in set.members {
        if member.cidr.family != set.family { throw IllFormed(defect: .memberOfWrongFamily(set.name, member.cidr)) }
        if set.kind == .addresses, !member.cidr.isHost {
          throw IllFormed(defect: .networkInAddressSet(set.name, member.cidr))
        }
      }
    }
    for table in tables { try table.checkWellFormed(setFamilies: families) }
  }
}

extension Table {
  fileprivate func checkWellFormed(setFamilies: [SetName: Set<IPFamily>]) throws(IllFormed) {
    var targets: [ChainName: Set<ChainName>] = [:]
    for chain in chains {
      if chain.name.utf8.count > 28 { throw IllFormed(defect: .chainNameTooLong(chain.name)) }
      if targets[chain.name] != nil { throw IllFormed(defect: .duplicateChain(chain.name)) }
      targets[chain.name] = []
      for rule in chain.rules {
        for match in rule.matches {
          guard case .inSet(_, let name, _) = match else { continue }
          guard let families = setFamilies[name] else { throw IllFormed(defect: .unknownSet(name)) }
          if !families.contains(family) { throw IllFormed(defect: .wrongFamily(name)) }
        }
        for case .jump(let target) in rule.statements { targets[chain.name, default: []].insert(target) }
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
