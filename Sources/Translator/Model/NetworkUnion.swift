extension CIDR {
  /// Returns the fewest networks that together make up the range.
  public static func networks(from first: IPAddress, through last: IPAddress) -> [CIDR] {
    let width = first.family.bitWidth
    var result: [CIDR] = []
    var low = first.bits
    while low <= last.bits {
      // The number of trailing zero bits of `low` that the network may span.
      var free = min(low == 0 ? width : low.trailingZeroBitCount, width)
      var high = low | hostBits(free)
      while high > last.bits, free > 0 {
        free -= 1
        high = low | hostBits(free)
      }
      result.append(CIDR(IPAddress(family: first.family, bits: low), prefixLength: width - free))
      if high == .max { break }
      low = high + 1
    }
    return result
  }

  private static func hostBits(_ count: Int) -> UInt128 {
    count >= 128 ? .max : (UInt128(1) << UInt128(count)) - 1
  }
}

extension [CIDR] {
  /// The fewest networks that contain the same addresses, sorted. All must be of one family.
  public var merged: [CIDR] {
    var ranges: [(first: IPAddress, last: IPAddress)] = []
    for network in sorted() {
      guard let end = ranges.last?.last else {
        ranges.append((network.firstAddress, network.lastAddress))
        continue
      }
      if network.firstAddress.bits <= end.bits || network.firstAddress.bits == end.bits &+ 1 {
        ranges[ranges.count - 1].last = Swift.max(end, network.lastAddress)
      } else {
        ranges.append((network.firstAddress, network.lastAddress))
      }
    }
    return ranges.flatMap { CIDR.networks(from: $0.first, through: $0.last) }
  }
}
