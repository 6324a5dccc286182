internal import NetpolModel

/// The addresses of a generated cluster. Its nodes have equal pod CIDRs, one after the other.
struct GeneratedNetworks {
  let families: [IPFamily]
  /// The addresses in a node's IPv4 pod CIDR, as a power of two.
  private let blockBits: UInt32
  private let podNetwork: UInt32

  /// `pods`: the most that a node has, with addresses of their own.
  init(_ families: [IPFamily], nodes: Int, pods: Int) {
    self.families = families
    // Not the network, the bridge and the broadcast address.
    var bits: UInt32 = 8
    while 1 << bits < pods + 3 { bits += 1 }
    blockBits = bits
    // k3s's 10.42.0.0/16 if the blocks fit in it. Its 10.43.0.0/16 is for Services.
    podNetwork = nodes << Int(bits) <= 1 << 16 ? 0x0a2a_0000 : 0x0a80_0000
  }

  func podCIDRs(_ node: Int) -> [CIDR] {
    families.map { family in
      switch family {
      case .v4:
        CIDR(IPAddress(v4: podNetwork + UInt32(node) << blockBits), prefixLength: 32 - Int(blockBits))
      case .v6: CIDR(IPAddress(v6: 0xfd00_0042 << 96 | UInt128(node) << 64), prefixLength: 64)
      }
    }
  }

  func nodeAddresses(_ node: Int) -> [IPAddress] {
    families.map { family in
      switch family {
      case .v4: IPAddress(v4: 0xc0a8_140b + UInt32(node))
      case .v6: IPAddress(v6: 0xfd00_0020 << 96 | UInt128(0x11 + node))
      }
    }
  }

  func podAddresses(_ node: Int, slot: Int) -> [IPAddress] {
    podCIDRs(node).map { $0.network.advanced(by: UInt128(slot + 2)) }
  }

  /// `offset`: the last 16 bits.
  func serviceAddresses(_ offset: UInt16) -> [IPAddress] {
    families.map { family in
      switch family {
      case .v4: IPAddress(v4: 0x0a2b_0000 + UInt32(offset))
      case .v6: IPAddress(v6: 0xfd00_0043 << 96 | UInt128(offset))
      }
    }
  }
}
