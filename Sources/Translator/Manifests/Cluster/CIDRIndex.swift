internal import NetpolModel

/// The owners of networks. Answers in constant time whether a block (/24, /64) or a single address overlaps one of
/// them.
struct CIDRIndex {
  private var owners: [CIDR: Set<String>] = [:]
  private var lengths: [IPFamily: Set<Int>] = [:]
  /// Owners of networks smaller than a block, by block.
  private var insideBlocks: [CIDR: Set<String>] = [:]

  /// The block of pod addresses that one node has by default: /24 or /64 (kube-controller-manager's defaults).
  static func block(of address: IPAddress) -> CIDR { CIDR(address, prefixLength: blockLength(address.family)) }
  static func blockLength(_ family: IPFamily) -> Int { family == .v4 ? 24 : 64 }

  mutating func insert(_ cidr: CIDR, owner: String = "") {
    owners[cidr, default: []].insert(owner)
    lengths[cidr.family, default: []].insert(cidr.prefixLength)
    if cidr.prefixLength > Self.blockLength(cidr.family) {
      insideBlocks[Self.block(of: cidr.network), default: []].insert(owner)
    }
  }

  /// The owners of all networks that overlap a block or a single address.
  func owners(overlapping cidr: CIDR) -> Set<String> {
    var result = insideBlocks[cidr] ?? []
    for length in lengths[cidr.family] ?? [] where length <= cidr.prefixLength {
      result.formUnion(owners[CIDR(cidr.network, prefixLength: length)] ?? [])
    }
    return result
  }

  func overlaps(_ cidr: CIDR) -> Bool { !owners(overlapping: cidr).isEmpty }

  /// The same for a network of any length. Takes time in proportion to the number of networks.
  func overlaps(any cidr: CIDR) -> Bool {
    cidr == Self.block(of: cidr.network) || cidr.isHost ? overlaps(cidr) : owners.keys.contains(where: cidr.overlaps)
  }
}
