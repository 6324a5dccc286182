/// A network prefix, always in canonical form: all bits after the prefix are zero.
public struct CIDR: Hashable, Comparable, Sendable {
  public let network: IPAddress
  /// 0 to 32, or 0 to 128.
  public let prefixLength: Int

  /// The network of `length` bits that contains `address`. Clamps lengths outside the family's range.
  public init(_ address: IPAddress, prefixLength length: Int) {
    prefixLength = min(max(length, 0), address.family.bitWidth)
    network = IPAddress(family: address.family, bits: address.bits & Self.mask(address.family, prefixLength))
  }

  /// The single address as a prefix: a /32 or /128.
  public init(_ address: IPAddress) { self.init(address, prefixLength: address.family.bitWidth) }

  public var family: IPFamily { network.family }
  /// `true` if the prefix contains a single address.
  public var isHost: Bool { prefixLength == family.bitWidth }

  /// The bits of addresses that the prefix fixes.
  public var mask: UInt128 { Self.mask(family, prefixLength) }

  private static func mask(_ family: IPFamily, _ length: Int) -> UInt128 {
    let width = UInt128(family.bitWidth)
    let all = family == .v4 ? 0xffff_ffff : UInt128.max
    return length == 0 ? 0 : (all << (width - UInt128(length))) & all
  }

  public func contains(_ address: IPAddress) -> Bool {
    address.family == family && address.bits & Self.mask(family, prefixLength) == network.bits
  }

  public func contains(_ other: CIDR) -> Bool { prefixLength <= other.prefixLength && contains(other.network) }
  public func overlaps(_ other: CIDR) -> Bool { contains(other) || other.contains(self) }

  public var firstAddress: IPAddress { network }
  public var lastAddress: IPAddress {
    let all = family == .v4 ? 0xffff_ffff : UInt128.max
    return IPAddress(family: family, bits: network.bits | (all ^ Self.mask(family, prefixLength)))
  }

  public static func < (a: CIDR, b: CIDR) -> Bool { (a.network, a.prefixLength) < (b.network, b.prefixLength) }
}

extension CIDR: LosslessStringConvertible {
  /// Parses `address/length`. Clears host bits, as ipset and nft do. Returns `nil` for text without a length.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let address = IPAddress(String(parts[0])),
      (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ (48...57).contains($0) }),
      parts[1] == "0" || parts[1].utf8.first != 48,
      let length = Int(parts[1]), length <= address.family.bitWidth
    else { return nil }
    self.init(address, prefixLength: length)
  }

  public var description: String { "\(network)/\(prefixLength)" }
}
