internal import NetpolModel
internal import RuleIR

/// A mistake in the members of a set.
enum SetMutation: String, Hashable, Sendable, CaseIterable {
  /// The last member, by address or key, is missing.
  case lastAbsent
  case firstAbsent
  /// The last member is smaller: its prefix is one bit longer, or its range ends earlier.
  case lastShorter
  /// The last member is the block next to the right one, or the next port.
  case lastNext
  case noExcepts
  case exceptsIncluded
  /// In a map, the last key gives another mark.
  case lastOtherMark

  func mutated(_ set: NamedSet) -> NamedSet? {
    var result = set
    result.members = set.stored
    guard let last = result.members.popLast() else { return nil }
    switch self {
    case .lastAbsent: break
    case .firstAbsent:
      guard !result.members.isEmpty else { return nil }
      result.members.removeFirst()
      result.members.append(last)
    case .lastShorter:
      guard set.kind != .addresses, !last.cidr.isHost else { return nil }
      let half = CIDR(last.cidr.network, prefixLength: last.cidr.prefixLength + 1)
      guard !result.members.contains(where: { $0.cidr == half }) else { return nil }
      result.members.append(.init(half, nomatch: last.nomatch))
    case .lastNext:
      let size = UInt128(1) << UInt128(last.cidr.family.bitWidth - last.cidr.prefixLength)
      guard last.cidr.prefixLength > 0 else { return nil }
      let beside = CIDR(
        IPAddress(family: set.family, bits: last.cidr.network.bits ^ size), prefixLength: last.cidr.prefixLength)
      guard !result.members.contains(where: { $0.cidr.overlaps(beside) }) else { return nil }
      result.members.append(.init(beside, nomatch: last.nomatch))
    case .noExcepts:
      guard set.members.contains(where: \.nomatch) else { return nil }
      result.members = set.stored.filter { !$0.nomatch }
    case .exceptsIncluded:
      guard set.members.contains(where: \.nomatch) else { return nil }
      result.members = set.stored.map { .init($0.cidr) }
    case .lastOtherMark: return nil
    }
    return result
  }

  func mutated(_ set: KeyedSet) -> KeyedSet? {
    var result = set
    result.elements = set.elements.sorted(by: KeyedSet.Element.precedes)
    guard var last = result.elements.popLast() else { return nil }
    switch self {
    case .lastAbsent: break
    case .firstAbsent:
      guard !result.elements.isEmpty else { return nil }
      result.elements.removeFirst()
      result.elements.append(last)
    case .lastShorter:
      guard let end = last.through, let start = last.key.last, end > start else { return nil }
      last.through = end - 1
      result.elements.append(last)
    case .lastNext:
      // Of a range only the first value changes, so that ranges don't overlap.
      guard let value = last.key.last, let field = set.fields.last,
        value < UInt128.max >> UInt128(128 - field.bitWidth(set.family))
      else { return nil }
      if let end = last.through, end == value { return nil }
      last.key[last.key.count - 1] = value + 1
      result.elements.append(last)
    case .lastOtherMark:
      guard case .mark(let mark)? = last.value else { return nil }
      last.value = .mark(mark ^ 2)
      result.elements.append(last)
    case .noExcepts, .exceptsIncluded: return nil
    }
    return result
  }
}
