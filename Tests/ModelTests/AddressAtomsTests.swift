import NetpolModel
import Testing

@Suite("Addresses divided by networks") struct AddressAtomsTests {
  private static func atoms(_ family: IPFamily, _ networks: [String]) -> AddressAtoms {
    AddressAtoms(family, dividedBy: networks.compactMap { CIDR($0) })
  }

  @Test(
    "Each part lies in the same networks, and the parts cover everything once",
    arguments: [
      [], ["10.0.0.0/8"], ["10.0.0.0/8", "10.0.0.0/9"], ["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1"],
      ["10.0.0.0/8", "10.255.255.255/32", "10.0.0.0/32", "10.1.0.0/16", "11.0.0.0/8"],
      ["255.255.255.255/32", "0.0.0.0/32", "255.255.255.254/31"],
    ])
  func parts(_ networks: [String]) {
    let atoms = Self.atoms(.v4, networks)
    let ranges = atoms.parts.flatMap(\.ranges).sorted { $0.lowerBound < $1.lowerBound }
    #expect(ranges.first?.lowerBound == 0)
    #expect(ranges.last?.upperBound == 0xffff_ffff)
    for (one, next) in zip(ranges, ranges.dropFirst()) { #expect(one.upperBound + 1 == next.lowerBound) }
    #expect(atoms.parts.reduce(0) { $0 + $1.count } == 4_294_967_296)
    let cidrs = networks.compactMap { CIDR($0) }
    let memberships = atoms.parts.map { part in
      Set(
        part.ranges.flatMap { [$0.lowerBound, $0.upperBound] }.map { bits in
          cidrs.map { $0.contains(IPAddress(family: .v4, bits: bits)) }
        })
    }
    #expect(memberships.allSatisfy { $0.count == 1 })
    #expect(Set(memberships).count == memberships.count)
  }

  @Test("The last address of IPv6 belongs to a part")
  func wholeIPv6() {
    let atoms = Self.atoms(.v6, ["::/0", "ffff::/16", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"])
    #expect(atoms.parts.count == 3)
    #expect(atoms.parts.flatMap(\.ranges).map(\.upperBound).max() == .max)
  }
}
