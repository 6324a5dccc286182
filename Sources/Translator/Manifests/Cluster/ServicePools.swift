package import NetpolModel

/// Free ClusterIPs. Like the API server, it leaves the lower end of the range to Services that choose their own address
/// (KEP-3070) until the rest is used up. `default/kubernetes` gets the first address.
package struct ServiceAddressPool {
  private let cidrs: [CIDR]
  private var given: [CIDR: UInt128] = [:]

  package init(_ cidrs: [CIDR]) { self.cidrs = cidrs }

  package mutating func next(_ family: IPFamily, for service: NamespacedName, taken: (IPAddress) -> Bool) -> IPAddress?
  {
    for cidr in cidrs where cidr.family == family {
      let span = cidr.lastAddress.bits - cidr.network.bits
      let count = cidr.serviceOffsets.upperBound - 1
      let first = cidr.network.advanced(by: 1)
      if service == NamespacedName("default", "kubernetes"), count > 0, !taken(first) { return first }
      let lower = Self.reserved(span)
      var index = given[cidr] ?? 0
      defer { given[cidr] = index }
      while index < count {
        let offset = (index + lower) % count
        let address = first.advanced(by: offset)
        index += 1
        if !taken(address) { return address }
      }
    }
    return nil
  }

  /// `calculateRangeOffset`: a sixteenth of the range, at least 16 and at most 256. Zero for ranges of 16 or fewer
  /// addresses.
  private static func reserved(_ span: UInt128) -> UInt128 {
    span < 16 ? 0 : min(max((min(span, 0xffff) + 1) / 16, 16), 256)
  }
}

/// Free NodePorts. The lower end is used last here too (KEP-3668).
package struct NodePortPool {
  private let range: PortRange
  private var given = 0

  package init(_ range: PortRange) { self.range = range }

  package mutating func next(taken: (UInt16) -> Bool) -> UInt16? {
    guard range.first <= range.last else { return nil }
    let count = Int(range.last - range.first) + 1
    let lower = count <= 16 ? 0 : min(max(count / 32, 16), 128)
    while given < count {
      let number = range.first + UInt16((given + lower) % count)
      given += 1
      if !taken(number) { return number }
    }
    return nil
  }
}
