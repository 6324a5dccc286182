internal import NetpolModel

/// Looks for free blocks of pod addresses of one family, for nodes of which nothing shows the pod CIDR. It looks beside
/// the known blocks, so that one network can hold them all, or else in and beside k3s's 10.42.0.0/16.
struct PodBlockSearch {
  static let usual = CIDR(IPAddress(v4: 0x0a2a_0000), prefixLength: 16)
  /// A search that finds nothing ends after this many blocks.
  private static let mostBlocks = 0x10000

  private let length: Int
  /// The network that is searched now, and the one that holds all that has been searched.
  private var part: CIDR
  private var whole: CIDR
  private var offset: UInt128 = 0

  /// Searches around `known`, which are all of one family, in blocks of their length, but not smaller than /24 or /64.
  /// With several networks, around the one with most of them.
  init?(beside known: [CIDR]) {
    guard let family = known.first?.family else { return nil }
    length = min(known.map(\.prefixLength).max() ?? 0, CIDRIndex.blockLength(family))
    if known.allSatisfy(Self.usual.contains) { return nil }
    let networks = enclosingNetworks(of: known, family, avoiding: [])
    let counted = networks.map { network in (network, known.count { network.contains($0) }) }
    guard let network = counted.max(by: { $0.1 < $1.1 })?.0 else { return nil }
    part = CIDR(network.network, prefixLength: min(network.prefixLength, length))
    whole = part
  }

  /// Searches in and beside 10.42.0.0/16, in blocks of /24.
  init() {
    length = CIDRIndex.blockLength(.v4)
    part = Self.usual
    whole = part
  }

  /// The next block that nothing in `used` overlaps. `nil` if there is none.
  mutating func next(_ used: CIDRIndex) -> CIDR? {
    for _ in 0..<Self.mostBlocks {
      guard offset < 1 << UInt128(length - part.prefixLength) else {
        guard let parent = whole.parent, parent.fitsOneCluster else { return nil }
        part = whole.sibling
        whole = parent
        offset = 0
        continue
      }
      let start = part.network.advanced(by: offset << UInt128(part.family.bitWidth - length))
      offset += 1
      let candidate = CIDR(start, prefixLength: length)
      if !used.overlaps(any: candidate) { return candidate }
    }
    return nil
  }
}

extension CIDR {
  /// The other half of the network that is one bit shorter.
  fileprivate var sibling: CIDR {
    let bit = prefixLength == 0 ? 0 : UInt128(1) << UInt128(family.bitWidth - prefixLength)
    return CIDR(IPAddress(family: family, bits: network.bits ^ bit), prefixLength: prefixLength)
  }
}
