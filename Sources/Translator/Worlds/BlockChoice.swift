internal import NetpolModel
internal import Statistics

/// Picks ipBlocks that begin or end at an address of the cluster, or just miss one.
struct BlockChoice {
  private let addresses: [IPAddress]
  private let wide: [CIDR]

  init(_ cluster: Cluster) {
    let families = Set(cluster.families)
    let borders = cluster.externalHosts.flatMap(\.networks).flatMap { network in
      [
        network.firstAddress, network.lastAddress,
        CIDR(network.network, prefixLength: network.prefixLength + 1).lastAddress,
      ]
    }
    // The addresses of the tunnel and the bridge.
    let own = cluster.nodes.flatMap(\.podCIDRs).flatMap { [$0.network, $0.network.advanced(by: 1)] }
    addresses =
      cluster.pods.flatMap(\.podIPs) + cluster.pods.flatMap(\.podIPs) + cluster.nodes.flatMap(\.addresses)
      + cluster.externalHosts.flatMap(\.addresses) + borders + own
    wide =
      [
        "0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8", "10.42.0.0/16", "fd00::/8", "2000::/3",
        "fc00::/7",
      ]
      .compactMap { CIDR($0) }.filter { families.contains($0.family) } + cluster.nodes.flatMap(\.podCIDRs)
  }

  func block(_ random: inout SplitMix64) -> NetworkPolicy.IPBlock {
    let cidr = random.chance(50) ? random.one(of: wide) : near(&random)
    guard let cidr else { return .init(CIDR(IPAddress(v4: 0), prefixLength: 0)) }
    var block = NetworkPolicy.IPBlock(cidr)
    guard random.chance(50) else { return block }
    for _ in 0..<random.number(1...2) {
      if let except = within(block.except.last.flatMap { random.chance(40) ? $0 : nil } ?? cidr, &random) {
        block.except.append(except)
      }
    }
    return block
  }

  /// A prefix around an address, or the prefix next to it.
  private func near(_ random: inout SplitMix64) -> CIDR? {
    guard let address = random.one(of: addresses) else { return nil }
    let width = address.family.bitWidth
    let length = max(1, width - random.one(of: [0, 0, 1, 2, 4, 8, 16], else: 0))
    let isBeside = random.chance(25)
    let bit = isBeside ? UInt128(1) << UInt128(width - length) : 0
    return CIDR(IPAddress(family: address.family, bits: address.bits ^ bit), prefixLength: length)
  }

  /// A strict subset that contains an address of the cluster, if there is one.
  private func within(_ cidr: CIDR, _ random: inout SplitMix64) -> CIDR? {
    let room = cidr.family.bitWidth - cidr.prefixLength
    guard room > 0 else { return nil }
    let address = random.one(of: addresses.filter(cidr.contains)) ?? cidr.lastAddress
    let further = random.one(of: [1, 1, 2, 8, room], else: 1)
    return CIDR(address, prefixLength: cidr.prefixLength + min(further, room))
  }
}
