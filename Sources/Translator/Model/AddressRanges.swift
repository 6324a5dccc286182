/// A set of addresses of one family, as disjoint ranges. They are sorted, and two ranges never touch.
public struct AddressRanges: Hashable, Sendable {
  public let family: IPFamily
  public private(set) var ranges: [ClosedRange<UInt128>] = []

  /// No address.
  public init(_ family: IPFamily) { self.family = family }

  /// All addresses of the given ranges, which may overlap.
  public init(_ family: IPFamily, _ parts: some Sequence<ClosedRange<UInt128>>) {
    self.family = family
    for part in parts.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = ranges.last, last.upperBound == .max || part.lowerBound <= last.upperBound + 1 {
        ranges[ranges.count - 1] = last.lowerBound...max(last.upperBound, part.upperBound)
      } else {
        ranges.append(part)
      }
    }
  }

  /// All addresses of the family.
  public init(all family: IPFamily) {
    self.init(family, [0...CIDR(IPAddress(family: family, bits: 0), prefixLength: 0).lastAddress.bits])
  }

  public var isEmpty: Bool { ranges.isEmpty }

  public func contains(_ address: IPAddress) -> Bool {
    address.family == family && ranges.contains { $0.contains(address.bits) }
  }

  public func union(_ other: AddressRanges) -> AddressRanges { AddressRanges(family, ranges + other.ranges) }

  public func subtracting(_ other: AddressRanges) -> AddressRanges {
    var left: [ClosedRange<UInt128>] = []
    var holes = other.ranges[...]
    for range in ranges {
      var start = range.lowerBound
      var isUsedUp = false
      while let hole = holes.first, hole.upperBound < start { holes.removeFirst() }
      for hole in holes {
        if hole.lowerBound > range.upperBound { break }
        if hole.lowerBound > start { left.append(start...(hole.lowerBound - 1)) }
        if hole.upperBound >= range.upperBound {
          isUsedUp = true
          break
        }
        start = max(start, hole.upperBound + 1)
      }
      if !isUsedUp { left.append(start...range.upperBound) }
    }
    return AddressRanges(family, left)
  }

  /// The fewest networks with the same addresses, sorted.
  public var networks: [CIDR] {
    ranges.flatMap { range in
      CIDR.networks(
        from: IPAddress(family: family, bits: range.lowerBound),
        through: IPAddress(family: family, bits: range.upperBound))
    }
  }

  /// The smallest network that holds them all. `nil` if there are none.
  public var enclosing: CIDR? {
    guard let first = ranges.first?.lowerBound, let last = ranges.last?.upperBound else { return nil }
    let length = (first ^ last).leadingZeroBitCount - (UInt128.bitWidth - family.bitWidth)
    return CIDR(IPAddress(family: family, bits: first), prefixLength: length)
  }

  /// The shortest of three ways to write them: `10.0.0.0/8, 11.0.0.0/16`, `10.0.0.0/8 except 10.1.0.0/16`, or
  /// `10.0.0.1-10.0.0.254`.
  public var description: String {
    guard let enclosing else { return "" }
    let plain = networks.map(\.description).joined(separator: ", ")
    let holes = AddressRanges(enclosing).subtracting(self).networks
    if holes.isEmpty { return plain }
    let outer = "\(enclosing) except " + holes.map(\.description).joined(separator: ", ")
    let spans = ranges.map { range in
      let first = IPAddress(family: family, bits: range.lowerBound)
      let last = IPAddress(family: family, bits: range.upperBound)
      let whole = CIDR.networks(from: first, through: last)
      return whole.count == 1 ? whole[0].description : "\(first)-\(last)"
    }
    return [outer, spans.joined(separator: ", ")].reduce(plain) { $1.count < $0.count ? $1 : $0 }
  }

  public init(_ network: CIDR) {
    self.init(network.family, [network.firstAddress.bits...network.lastAddress.bits])
  }
}

extension AddressRanges: CustomStringConvertible {}

extension IPFamily {
  /// All addresses of the family, cut wherever one of the networks begins or ends: each network is a union of some of
  /// these ranges. Sorted.
  public func ranges(between networks: some Sequence<CIDR>) -> [ClosedRange<UInt128>] {
    let last = CIDR(IPAddress(family: self, bits: 0), prefixLength: 0).lastAddress.bits
    var starts: Set<UInt128> = [0]
    for network in networks where network.family == self {
      starts.insert(network.firstAddress.bits)
      if network.lastAddress.bits < last { starts.insert(network.lastAddress.bits + 1) }
    }
    let sorted = starts.sorted()
    return sorted.indices.map { index in
      sorted[index]...(index + 1 < sorted.count ? sorted[index + 1] - 1 : last)
    }
  }
}
