internal import Kernel
internal import NetpolModel
internal import RuleIR

extension KeyedSet {
  func netlink(id: UInt32) -> NftSet {
    let data: NftSet.Data? =
      switch content {
      case .keys: nil
      case .marks: .mark
      case .verdicts: .verdict
      }
    return NftSet(name, fields.map { $0.netlink(family) }, id: id, isInterval: hasRanges, data: data, size: size)
  }

  func netlink(_ elements: [Element]) -> [NftElement] {
    let types = fields.map { $0.netlink(family) }
    return elements.map { element in
      var last = element.key
      if let through = element.through, !last.isEmpty { last[last.count - 1] = through }
      return NftElement(
        bytes(element.key, types), lastKey: hasRanges ? bytes(last, types) : nil, element.value?.netlink,
        comment: element.comment)
    }
  }

  /// The bytes of a key in network order, which interval sets sort by. In hash sets, marks are in host order.
  private func bytes(_ key: [UInt128], _ types: [NftSet.Field]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(types.reduce(0) { $0 + $1.paddedLength })
    for (type, value) in zip(types, key) {
      if type == .mark, !hasRanges {
        withUnsafeBytes(of: UInt32(truncatingIfNeeded: value)) { bytes += $0 }
      } else {
        for shift in stride(from: 8 * (type.length - 1), through: 0, by: -8) {
          bytes.append(UInt8(truncatingIfNeeded: value >> UInt128(shift)))
        }
      }
      if types.count > 1 { bytes += repeatElement(0, count: type.paddedLength - type.length) }
    }
    return bytes
  }
}

extension KeyedSet.Value {
  fileprivate var netlink: NftElement.Data {
    switch self {
    case .mark(let mark): .mark(mark)
    case .verdict(.drop): .verdict(.drop)
    case .verdict(.goto(let chain)): .verdict(.goto(chain))
    }
  }
}

extension KeyedSet.Field {
  func netlink(_ family: IPFamily) -> NftSet.Field {
    switch self {
    case .mark: .mark
    case .address: family == .v4 ? .ipv4 : .ipv6
    case .transport: .transport
    case .port: .port
    }
  }
}
