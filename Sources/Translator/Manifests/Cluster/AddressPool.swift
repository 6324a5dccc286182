internal import NetpolModel

/// Hands out free addresses of pod CIDRs, starting at `.2` (the bridge has `.1`).
struct AddressPool {
  private var taken: Set<IPAddress>
  private var offsets: [CIDR: UInt128] = [:]

  init(taken: Set<IPAddress>) { self.taken = taken }

  /// The next free address, from the first of `cidrs` that has one.
  mutating func next(in cidrs: [CIDR]) -> IPAddress? {
    for cidr in cidrs {
      let span = cidr.lastAddress.bits - cidr.network.bits
      // The last IPv4 address is the broadcast address.
      let last = cidr.family == .v4 && span > 0 ? span - 1 : span
      var offset = offsets[cidr] ?? 2
      while offset <= last, taken.contains(cidr.network.advanced(by: offset)) { offset += 1 }
      offsets[cidr] = offset
      guard offset <= last else { continue }
      let address = cidr.network.advanced(by: offset)
      taken.insert(address)
      return address
    }
    return nil
  }
}
