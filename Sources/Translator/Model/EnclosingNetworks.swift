internal import Algorithms

extension CIDR {
  /// The networks that sites use inside: RFC 1918, RFC 6598 (carriers), RFC 2544 (benchmarks), RFC 4193 (unique local).
  private static let privateBlocks = [
    CIDR(IPAddress(v4: 0x0a00_0000), prefixLength: 8), CIDR(IPAddress(v4: 0xac10_0000), prefixLength: 12),
    CIDR(IPAddress(v4: 0xc0a8_0000), prefixLength: 16), CIDR(IPAddress(v4: 0x6440_0000), prefixLength: 10),
    CIDR(IPAddress(v4: 0xc612_0000), prefixLength: 15), CIDR(IPAddress(v6: 0xfc << 120), prefixLength: 7),
  ]

  /// Whether one cluster can have this network to itself. A network wider than /16 (/32 with IPv6) must be private.
  package var fitsOneCluster: Bool {
    prefixLength >= (family == .v4 ? 16 : 32) || Self.privateBlocks.contains { $0.contains(self) }
  }

  /// The network that is one bit shorter. `nil` if this one holds every address.
  package var parent: CIDR? { prefixLength == 0 ? nil : CIDR(network, prefixLength: prefixLength - 1) }

  /// The longest prefix that holds both networks, which must be of one family.
  fileprivate func joined(with other: CIDR) -> CIDR {
    let different = network.bits ^ other.network.bits
    let common = different.leadingZeroBitCount - (UInt128.bitWidth - family.bitWidth)
    return CIDR(network, prefixLength: min(prefixLength, other.prefixLength, common))
  }
}

/// The fewest networks of one family that hold all of `parts` and nothing of `others`, sorted. A network is halved until
/// it holds none of the others and fits one cluster. What is inside one of the parts doesn't count as another.
package func enclosingNetworks(of parts: [CIDR], _ family: IPFamily, avoiding others: [CIDR]) -> [CIDR] {
  var outer: [CIDR] = []
  // Networks are nested or disjoint, so a nested one comes right after those that it is inside of.
  for part in parts.filter({ $0.family == family }).sorted() where outer.last?.contains(part) != true {
    outer.append(part)
  }
  let foreign = others.filter { $0.family == family && !outer.overlapsSorted($0) }
  var result: [CIDR] = []
  outer[...].enclose(avoiding: foreign, into: &result)
  return result
}

extension [CIDR] {
  /// Whether one of these networks, which are sorted and disjoint, overlaps another.
  fileprivate func overlapsSorted(_ other: CIDR) -> Bool {
    let next = partitioningIndex { $0.network > other.network }
    return next > 0 && self[next - 1].overlaps(other) || next < count && self[next].overlaps(other)
  }
}

extension ArraySlice<CIDR> {
  /// Adds the networks that hold all of these, which are sorted and disjoint.
  fileprivate func enclose(avoiding others: [CIDR], into result: inout [CIDR]) {
    guard let first, let last else { return }
    let whole = first.joined(with: last)
    let inside = others.filter(whole.overlaps)
    if count == 1 || inside.isEmpty && whole.fitsOneCluster {
      result.append(whole)
      return
    }
    let half = CIDR(first.network, prefixLength: whole.prefixLength + 1)
    let border = partitioningIndex { !half.contains($0) }
    self[..<border].enclose(avoiding: inside, into: &result)
    self[border...].enclose(avoiding: inside, into: &result)
  }
}
