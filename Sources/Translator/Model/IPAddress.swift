/// An address family. The raw value is the Kubernetes name (`spec.ipFamilies`).
public enum IPFamily: String, Hashable, Sendable, CaseIterable, Comparable {
  case v4 = "IPv4"
  case v6 = "IPv6"

  /// Length of an address in bits.
  public var bitWidth: Int { self == .v4 ? 32 : 128 }
  public static func < (a: IPFamily, b: IPFamily) -> Bool { a.bitWidth < b.bitWidth }
}

/// An IPv4 or IPv6 address as an integer in host order. IPv4 uses the low 32 bits.
public struct IPAddress: Hashable, Comparable, Sendable {
  public let family: IPFamily
  public let bits: UInt128

  public init(v4 bits: UInt32) {
    family = .v4
    self.bits = UInt128(bits)
  }

  public init(v6 bits: UInt128) {
    family = .v6
    self.bits = bits
  }

  /// An address of `family` with the low bits of `bits`.
  public init(family: IPFamily, bits: UInt128) {
    self.family = family
    self.bits = family == .v4 ? bits & 0xffff_ffff : bits
  }

  /// `nil` unless there are 4 or 16 bytes, in network byte order.
  public init?(bytes: [UInt8]) {
    guard bytes.count == 4 || bytes.count == 16 else { return nil }
    self.init(family: bytes.count == 4 ? .v4 : .v6, bits: bytes.reduce(0) { $0 << 8 | UInt128($1) })
  }

  /// The address in network byte order: 4 or 16 bytes.
  public var bytes: [UInt8] {
    stride(from: family.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: bits >> UInt128($0)) }
  }

  public static func < (a: IPAddress, b: IPAddress) -> Bool { (a.family, a.bits) < (b.family, b.bits) }

  /// 127.0.0.1 or ::1.
  public static func loopback(_ family: IPFamily) -> IPAddress {
    family == .v4 ? IPAddress(v4: 0x7f00_0001) : IPAddress(v6: 1)
  }
  public var isLoopback: Bool { family == .v4 ? bits >> 24 == 127 : bits == 1 }
  /// Whether the address is a group address: 224.0.0.0/4 (RFC 5771) or ff00::/8 (RFC 4291).
  public var isMulticast: Bool { family == .v4 ? bits >> 28 == 0xe : bits >> 120 == 0xff }

  /// The address plus `offset`. Wraps around at the end of the family.
  public func advanced(by offset: UInt128) -> IPAddress { IPAddress(family: family, bits: bits &+ offset) }
}

extension IPAddress: LosslessStringConvertible {
  /// Parses dotted decimal without leading zeros, as Go's `net/netip` does, or RFC 4291 text. Zones are not allowed.
  public init?(_ text: String) {
    if text.contains(":") {
      guard let bits = Self.parseV6(Substring(text)) else { return nil }
      self.init(v6: bits)
    } else {
      guard let bits = Self.parseV4(Substring(text)) else { return nil }
      self.init(v4: bits)
    }
  }

  private static func parseV4(_ text: Substring) -> UInt32? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var bits: UInt32 = 0
    for part in parts {
      guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (48...57).contains($0) }),
        part == "0" || part.utf8.first != 48, let byte = UInt8(part)
      else { return nil }
      bits = bits << 8 | UInt32(byte)
    }
    return bits
  }

  /// Splits text into 16-bit groups. Dotted decimal is allowed only at the end of the address.
  private static func groups(_ text: Substring, endsAddress: Bool) -> [UInt16]? {
    if text.isEmpty { return [] }
    var result: [UInt16] = []
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    for (index, part) in parts.enumerated() {
      if part.contains(".") {
        guard endsAddress, index == parts.count - 1, let v4 = parseV4(part) else { return nil }
        result += [UInt16(v4 >> 16), UInt16(truncatingIfNeeded: v4)]
      } else {
        guard (1...4).contains(part.utf8.count), part.allSatisfy(\.isHexDigit), let group = UInt16(part, radix: 16)
        else { return nil }
        result.append(group)
      }
    }
    return result
  }

  private static func parseV6(_ text: Substring) -> UInt128? {
    let all: [UInt16]
    if let gap = text.firstRange(of: "::") {
      guard let head = groups(text[..<gap.lowerBound], endsAddress: false),
        let tail = groups(text[gap.upperBound...], endsAddress: true),
        head.count + tail.count <= 7
      else { return nil }
      all = head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
    } else {
      guard let groups = groups(text, endsAddress: true), groups.count == 8 else { return nil }
      all = groups
    }
    return all.reduce(0) { $0 << 16 | UInt128($1) }
  }

  /// Dotted decimal, or the canonical text of RFC 5952.
  public var description: String {
    switch family {
    case .v4: return bytes.map(String.init).joined(separator: ".")
    case .v6:
      let groups = stride(from: 112, through: 0, by: -16).map { UInt16(truncatingIfNeeded: bits >> UInt128($0)) }
      var best = 0..<0
      var start = 0
      while start < 8 {
        var end = start
        while end < 8, groups[end] == 0 { end += 1 }
        if end - start > best.count { best = start..<end }
        start = max(end, start + 1)
      }
      let text = { (part: ArraySlice<UInt16>) in part.map { String($0, radix: 16) }.joined(separator: ":") }
      guard best.count >= 2 else { return text(groups[...]) }
      return text(groups[..<best.lowerBound]) + "::" + text(groups[best.upperBound...])
    }
  }

  /// The address followed by a port. An IPv6 address is put in brackets.
  public func description(port: UInt16) -> String { family == .v4 ? "\(self):\(port)" : "[\(self)]:\(port)" }
}
