// Not covered: which parts and which other addresses a cluster has (see ServiceNetworkTests and PodNetworkTests).
import NetpolModel
import Testing

@Suite("Networks that hold given addresses") struct EnclosingNetworksTests {
  private static let cases: [(parts: [String], others: [String], networks: [String])] = [
    ([], [], []),
    (["10.96.0.1/32"], [], ["10.96.0.1/32"]),
    (["10.96.0.1/32", "10.96.33.7/32"], [], ["10.96.0.0/18"]),
    (["192.168.190.0/24", "192.168.191.0/24"], ["10.0.0.10/32"], ["192.168.190.0/23"]),
    (["10.0.0.1/32", "10.0.0.200/32"], ["10.0.0.100/32"], ["10.0.0.1/32", "10.0.0.200/32"]),
    (["10.0.0.1/32", "10.0.0.2/32", "10.0.0.200/32"], ["10.0.0.100/32"], ["10.0.0.0/30", "10.0.0.200/32"]),
    (["10.0.0.1/32", "10.0.1.1/32"], ["10.0.0.128/25"], ["10.0.0.1/32", "10.0.1.1/32"]),
    (["172.16.0.0/24", "192.168.0.0/24"], [], ["172.16.0.0/24", "192.168.0.0/24"]),
    (["10.1.0.0/24", "10.200.0.0/24"], [], ["10.0.0.0/8"]),
    (["34.1.0.0/24", "34.2.0.0/24"], [], ["34.1.0.0/24", "34.2.0.0/24"]),
    (["34.1.1.0/24", "34.1.2.0/24"], [], ["34.1.0.0/22"]),
    (["10.42.0.0/16", "10.42.7.0/24", "10.43.0.0/24"], [], ["10.42.0.0/15"]),
    (["10.0.0.0/24", "10.0.1.0/24"], ["10.0.0.7/32"], ["10.0.0.0/23"]),
    (["0.0.0.0/0", "10.0.0.0/24"], ["192.168.0.1/32"], ["0.0.0.0/0"]),
    (["0.0.0.1/32", "255.255.255.254/32"], [], ["0.0.0.1/32", "255.255.255.254/32"]),
  ]

  @Test("one network, or several if one would hold something else or be too wide for one cluster", arguments: cases)
  func v4(parts: [String], others: [String], networks: [String]) {
    let found = enclosingNetworks(
      of: parts.compactMap { CIDR($0) }, .v4, avoiding: others.compactMap { CIDR($0) } + [CIDR(IPAddress(v6: 1))])
    #expect(found.map(\.description) == networks)
    #expect(enclosingNetworks(of: parts.compactMap { CIDR($0) }, .v6, avoiding: []) == [])
  }

  @Test(
    "the same with IPv6",
    arguments: [
      (["fd00:43::1/128", "fd00:43::a/128"], ["fd00:43::/124"]), (["fd00:1::/64", "fd99::/64"], ["fd00::/8"]),
      (["2001:db8::/64", "2a00::/64"], ["2001:db8::/64", "2a00::/64"]),
    ])
  func v6(parts: [String], networks: [String]) {
    let found = enclosingNetworks(of: parts.compactMap { CIDR($0) }, .v6, avoiding: [CIDR(IPAddress(v4: 1))])
    #expect(found.map(\.description) == networks)
  }
}
