internal import Apply
internal import Glibc
internal import Kernel
internal import NetpolModel
internal import RuleIR
internal import Statistics

/// One element that is added to a set and removed again.
struct ElementUpdate {
  let rules: String
  let set: String
  private let add: (borrowing NetlinkSocket) throws -> Void
  private let remove: (borrowing NetlinkSocket) throws -> Void

  /// Returns a row for adding and one for removing. `pause` is the time before each change of the second half, in
  /// microseconds.
  func measure(_ count: Int, pause: UInt32, over socket: borrowing NetlinkSocket) throws -> [ApplyBenchReport.Update] {
    var times: [[Double]] = [[], [], [], []]
    try RealTimeScheduling.whilePermitted(ApplyBench.priority) {
      for pauses in [false, true] {
        for _ in 0..<count {
          for (index, change) in [add, remove].enumerated() {
            if pauses { usleep(pause) }
            let begin = MonotonicClock.now
            try change(socket)
            times[index * 2 + (pauses ? 1 : 0)].append(Double(MonotonicClock.now - begin))
          }
        }
      }
    }
    return ["added to", "removed from"].enumerated().map { index, what in
      ApplyBenchReport.Update(
        rules: rules, what: "\(what) \(set)", backToBack: Distribution(times[index * 2]),
        spaced: Distribution(times[index * 2 + 1]))
    }
  }

  /// An address that no pod has.
  private static let address = IPAddress(v4: 0x0a2a_7fff)

  static func member(_ rules: String, of set: NamedSet, called name: String, in ruleset: Ruleset) -> ElementUpdate {
    let members = [NamedSet.Member(CIDR(address))]
    switch ruleset.backend {
    case .nftables:
      let place = SetPlace(set: set.name, family: set.family)
      return ElementUpdate(rules, name, in: ruleset) { isAdded in
        var changes = RulesetChanges(.nftables)
        changes.members = [.init(place, set.kind, removed: isAdded ? [] : members, added: isAdded ? members : [])]
        return changes
      }
    case .iptables:
      let entries = members.map { $0.entry(of: set.kind) }
      return ElementUpdate(
        rules: rules, set: name,
        add: { socket in
          var batch = IPSetBatch()
          batch.add(entries, to: set.name)
          try batch.send(in: socket)
        },
        remove: { socket in
          var batch = IPSetBatch()
          batch.delete(entries, from: set.name)
          try batch.send(in: socket)
        })
    }
  }

  /// Like the set's last element, but with an address that no pod has. `nil` if the set has no element or no address
  /// field.
  static func element(_ rules: String, of set: KeyedSet, called name: String, in ruleset: Ruleset) -> ElementUpdate? {
    guard var element = set.elements.last, let field = set.fields.firstIndex(of: .address) else { return nil }
    element.key[field] = address.bits
    if set.hasRanges { element.through = address.bits }
    let place = SetPlace(set: set.name, family: set.family)
    return ElementUpdate(rules, name, in: ruleset) { isAdded in
      var changes = RulesetChanges(.nftables)
      changes.elements = [.init(place, removed: isAdded ? [] : [element], added: isAdded ? [element] : [])]
      return changes
    }
  }

  private init(
    rules: String, set: String, add: @escaping (borrowing NetlinkSocket) throws -> Void,
    remove: @escaping (borrowing NetlinkSocket) throws -> Void
  ) {
    self.rules = rules
    self.set = set
    self.add = add
    self.remove = remove
  }

  private init(_ rules: String, _ set: String, in ruleset: Ruleset, _ changes: (_ isAdded: Bool) -> RulesetChanges) {
    let (come, gone) = (changes(true), changes(false))
    self.init(
      rules: rules, set: set, add: { try NftTransaction(come, of: ruleset).send(in: $0) },
      remove: { try NftTransaction(gone, of: ruleset).send(in: $0) })
  }
}
