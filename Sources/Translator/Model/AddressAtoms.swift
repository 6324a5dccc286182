/// All addresses of a family, divided at the borders of some networks: two addresses of one part are in the same
/// networks.
///
/// Networks are nested or have nothing in common, so the innermost one of an address tells which others it is in.
public struct AddressAtoms: Sendable {
  /// Addresses that no network tells apart.
  public struct Part: Hashable, Sendable {
    /// Sorted, at least one. They don't touch.
    public let ranges: [ClosedRange<UInt128>]
    /// As a floating-point number, since 2^128 is one too many for an integer.
    public var count: Double { ranges.reduce(0) { $0 + Double($1.upperBound - $1.lowerBound) + 1 } }
  }

  public let family: IPFamily
  /// They cover all addresses, and none of them twice.
  public let parts: [Part]

  public init(_ family: IPFamily, dividedBy networks: some Sequence<CIDR>) {
    self.family = family
    let own = Set(networks.filter { $0.family == family })
    let lengths = Set(own.map(\.prefixLength)).sorted(by: >)
    let ranges = family.ranges(between: own)
    let byNetwork = Dictionary(grouping: ranges) { range in
      let first = IPAddress(family: family, bits: range.lowerBound)
      return lengths.lazy.map { CIDR(first, prefixLength: $0) }.first(where: own.contains)
    }
    parts = byNetwork.values.map { Part(ranges: AddressRanges(family, $0).ranges) }
      .sorted { ($0.ranges.first?.lowerBound ?? 0) < ($1.ranges.first?.lowerBound ?? 0) }
  }

  /// The first address of a part.
  public func representative(of part: Part) -> IPAddress {
    IPAddress(family: family, bits: part.ranges.first?.lowerBound ?? 0)
  }
}
