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
    let whole = CIDR(IPAddress(family: family, bits: 0), prefixLength: 0)
    let sorted = Set(networks).union([whole]).filter { $0.family == family }.sorted()
    var pieces = [[ClosedRange<UInt128>]](repeating: [], count: sorted.count)
    // The networks around the current place, the innermost last, and the first address that has no part yet.
    var open: [Int] = []
    var next: UInt128? = 0
    func close(before end: UInt128?) {
      while let inner = open.last, end.map({ sorted[inner].lastAddress.bits < $0 }) ?? true {
        let last = sorted[inner].lastAddress.bits
        if let first = next, first <= last { pieces[inner].append(first...last) }
        let isLast = last == whole.lastAddress.bits
        next = isLast ? nil : max(next ?? 0, last + 1)
        open.removeLast()
        if isLast, end == nil { continue }
      }
    }
    for (number, network) in sorted.enumerated() {
      let first = network.firstAddress.bits
      close(before: first)
      if let inner = open.last, let begin = next, begin < first { pieces[inner].append(begin...(first - 1)) }
      next = first
      open.append(number)
    }
    close(before: nil)
    parts = pieces.filter { !$0.isEmpty }.map { Part(ranges: Self.joined($0)) }
  }

  private static func joined(_ ranges: [ClosedRange<UInt128>]) -> [ClosedRange<UInt128>] {
    var joined: [ClosedRange<UInt128>] = []
    for range in ranges {
      if let last = joined.last, last.upperBound + 1 == range.lowerBound {
        joined[joined.count - 1] = last.lowerBound...range.upperBound
      } else {
        joined.append(range)
      }
    }
    return joined
  }

  /// The first address of a part.
  public func representative(of part: Part) -> IPAddress {
    IPAddress(family: family, bits: part.ranges.first?.lowerBound ?? 0)
  }
}
