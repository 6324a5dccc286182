internal import NetpolModel

/// The addresses of a bench's machines and pods, in one family.
struct BenchAddresses: Hashable, Sendable {
  /// The node whose rules are measured, and the only other node.
  let node, otherNode: IPAddress
  /// The pod CIDRs of the two nodes.
  let pods, otherPods: CIDR
  /// The pod of the node that sends.
  let client: IPAddress
  /// An address that no policy has as a peer.
  let stranger: IPAddress
  private let outside: IPAddress

  /// Private addresses (RFC 1918, RFC 4193). IPv4 addresses outside the cluster are shared address space (RFC 6598).
  init(_ family: IPFamily) {
    switch family {
    case .v4:
      node = IPAddress(v4: 0xc0a8_140b)
      pods = CIDR(IPAddress(v4: 0x0a2a_0000), prefixLength: 17)
      otherPods = CIDR(IPAddress(v4: 0x0a2a_8000), prefixLength: 17)
      outside = IPAddress(v4: 0x6440_0000)
    case .v6:
      node = IPAddress(v6: 0xfd00_0020 << 96 | 0xb)
      pods = CIDR(IPAddress(v6: 0xfd00_0042 << 96), prefixLength: 64)
      otherPods = CIDR(IPAddress(v6: 0xfd00_0042 << 96 | 1 << 64), prefixLength: 64)
      outside = IPAddress(v6: 0xfd00_0064 << 96)
    }
    otherNode = node.advanced(by: 1)
    client = pods.network.advanced(by: 0x7ffa)
    stranger = otherPods.network.advanced(by: 0x7ffa)
  }

  func pod(_ number: Int) -> IPAddress { pods.network.advanced(by: UInt128(10 + number)) }
  func peer(_ number: Int) -> IPAddress { otherPods.network.advanced(by: UInt128(10 + number)) }

  /// Returns a block of 16 addresses. Between two blocks are 16 other addresses, so that blocks can't be merged.
  func block(_ number: Int) -> CIDR {
    CIDR(outside.advanced(by: UInt128(number) * 32), prefixLength: outside.family.bitWidth - 4)
  }
}
