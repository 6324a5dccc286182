internal import NetpolModel

/// The next address of each node's network. It goes round, so that a freed one isn't given again at once.
struct PodAddresses: Sendable {
  private var next: [CIDR: UInt128] = [:]

  /// A free address that is neither the network's, the gateway's (its first host) nor the broadcast address. `nil`: there
  /// is none.
  mutating func take(_ network: CIDR, _ index: ObjectIndex) -> IPAddress? {
    let span = network.lastAddress.bits - network.firstAddress.bits
    let last = network.family == .v4 ? span &- 1 : span
    guard span >= 3, last >= 2 else { return nil }
    var offset = next[network] ?? 2
    // With as many tries as there are addresses elsewhere, and one more, a free one is found.
    let known = index.podAddresses.count + index.nodeAddresses.count + 1
    let tries = min(last - 1, UInt128(known))
    for _ in 0..<Int(tries) {
      if offset > last { offset = 2 }
      let address = network.network.advanced(by: offset)
      offset += 1
      if index.podAddresses[address] == nil, index.nodeAddresses[address] == nil {
        next[network] = offset
        return address
      }
    }
    return nil
  }
}
