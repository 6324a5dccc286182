import NetpolModel
import Testing

@Suite("Sets of addresses") struct AddressRangesTests {
  private static func ranges(_ networks: [String]) throws -> AddressRanges {
    let parts = try networks.map { try #require(CIDR($0)) }
    return AddressRanges(parts.first?.family ?? .v4, parts.map { $0.firstAddress.bits...$0.lastAddress.bits })
  }

  @Test(
    "are written in the shortest way",
    arguments: [
      (["0.0.0.0/0"], [], "0.0.0.0/0"), (["10.0.0.0/9", "10.128.0.0/9"], [], "10.0.0.0/8"),
      (["10.0.0.0/8"], ["10.1.0.0/16"], "10.0.0.0/8 except 10.1.0.0/16"),
      (["0.0.0.0/0"], ["10.0.0.0/8", "255.255.255.255/32"], "0.0.0.0/0 except 10.0.0.0/8, 255.255.255.255/32"),
      (["10.0.0.0/8", "192.168.1.0/24"], [], "10.0.0.0/8, 192.168.1.0/24"),
      (["10.0.0.0/24"], ["10.0.0.0/32", "10.0.0.255/32"], "10.0.0.1-10.0.0.254"),
      (["10.0.0.0/24", "10.0.2.0/24"], [], "10.0.0.0/24, 10.0.2.0/24"),
      (["::/0"], ["fd00::/8"], "::/0 except fd00::/8"), (["fd00::/64"], ["fd00::/65"], "fd00::8000:0:0:0/65"),
      (["10.0.0.0/8"], ["10.0.0.0/8"], ""),
    ])
  func text(networks: [String], without: [String], expected: String) throws {
    #expect(try Self.ranges(networks).subtracting(try Self.ranges(without)).description == expected)
  }

  @Test("are cut at every border of a network, and cover the family", arguments: IPFamily.allCases)
  func borders(family: IPFamily) throws {
    let networks = ["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "255.255.255.255/32", "::/0", "fd00::/8", "ffff::/16"]
      .compactMap { CIDR($0) }
    let ranges = family.ranges(between: networks)
    #expect(ranges.count == (family == .v4 ? 6 : 4))
    #expect(AddressRanges(family, ranges) == AddressRanges(all: family))
    for (range, next) in zip(ranges, ranges.dropFirst()) { #expect(range.upperBound + 1 == next.lowerBound) }
    for network in networks where network.family == family {
      for range in ranges {
        let ends = [range.lowerBound, range.upperBound].map { network.contains(IPAddress(family: family, bits: $0)) }
        #expect(ends[0] == ends[1])
      }
    }
  }

  @Test("without one another and together hold each address that they should")
  func algebra() throws {
    let (a, b) = (try Self.ranges(["10.0.0.0/30", "10.0.0.8/29"]), try Self.ranges(["10.0.0.2/31", "10.0.0.12/30"]))
    for bits in UInt32(0x0a00_0000)...0x0a00_0014 {
      let address = IPAddress(v4: bits)
      #expect(a.subtracting(b).contains(address) == (a.contains(address) && !b.contains(address)))
      #expect(a.union(b).contains(address) == (a.contains(address) || b.contains(address)))
    }
  }
}
