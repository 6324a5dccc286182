import NetpolModel
import Rendering
import RuleIR
import ServiceProxy
import Testing

@Suite("Rules of flannel") struct FlannelTests {
  private func tables() throws -> [Table] {
    flannelTables(
      network: [try Fixture.block("10.42.0.0/16"), try Fixture.block("fd42::/56")],
      subnet: [try Fixture.block("10.42.0.0/24"), try Fixture.block("fd42::/64")])
  }

  // Except for the first rule of FLANNEL-POSTRTG: a node prints its match before its comment.
  @Test("rules are printed as by iptables-save on a k3s node")
  func text() throws {
    let rules = try tables().prefix(2).map { try iptablesRestoreText($0) }.joined().split(separator: "\n").filter {
      $0.hasPrefix("-A ")
    }
    #expect(
      rules.joined(separator: "\n") == """
        -A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD
        -A FLANNEL-FWD -s 10.42.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT
        -A FLANNEL-FWD -d 10.42.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT
        -A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG
        -A FLANNEL-POSTRTG -m comment --comment "flanneld masq" -m mark --mark 0x4000/0x4000 -j RETURN
        -A FLANNEL-POSTRTG -s 10.42.0.0/24 -d 10.42.0.0/16 -m comment --comment "flanneld masq" -j RETURN
        -A FLANNEL-POSTRTG -s 10.42.0.0/16 -d 10.42.0.0/24 -m comment --comment "flanneld masq" -j RETURN
        -A FLANNEL-POSTRTG ! -s 10.42.0.0/16 -d 10.42.0.0/24 -m comment --comment "flanneld masq" -j RETURN
        -A FLANNEL-POSTRTG -s 10.42.0.0/16 ! -d 224.0.0.0/4 -m comment --comment "flanneld masq" \
        -j MASQUERADE --random-fully
        -A FLANNEL-POSTRTG ! -s 10.42.0.0/16 -d 10.42.0.0/16 -m comment --comment "flanneld masq" \
        -j MASQUERADE --random-fully
        """)
  }

  @Test("a family without a network or a subnet has no rules")
  func families() throws {
    #expect(try tables().map(\.family) == [.v4, .v4, .v6, .v6])
    #expect(try flannelTables(network: [Fixture.block("10.42.0.0/16")], subnet: [Fixture.block("fd42::/64")]).isEmpty)
  }

  @Test("several networks and subnets have rules of their own, and no pod's packet to a pod is masqueraded")
  func several() throws {
    let tables = try flannelTables(
      network: [Fixture.block("172.16.0.0/24"), Fixture.block("192.168.7.0/24")],
      subnet: [Fixture.block("172.16.0.0/26"), Fixture.block("192.168.7.9/32")])
    let rules = try tables.map { try iptablesRestoreText($0) }.joined().split(separator: "\n").filter {
      $0.hasPrefix("-A FLANNEL-POSTRTG")
    }
    #expect(rules.count == 1 + 3 * 4 + 2 * 2)
    for (source, destination, masqueraded) in [
      ("172.16.0.5", "192.168.7.1", false), ("192.168.7.9", "172.16.0.99", false), ("192.168.7.1", "172.16.0.5", false),
      ("172.16.0.5", "203.0.113.5", true), ("192.168.7.9", "203.0.113.5", true), ("203.0.113.5", "192.168.7.9", false),
      ("203.0.113.5", "192.168.7.1", true), ("172.16.0.5", "224.0.0.1", false),
    ] {
      #expect(
        try Node(tables).connect(from: source, to: destination, 80)
          == .to("\(destination):80", masqueraded: masqueraded), "\(source) \(destination)")
    }
  }

  @Test(
    "masquerade applies to packets from pods to outside and from outside to pods of other nodes",
    arguments: [
      ("10.42.0.5", "10.42.1.5", false), ("10.42.1.5", "10.42.0.5", false), ("192.168.1.9", "10.42.0.5", false),
      ("10.42.0.5", "192.168.1.9", true), ("10.42.0.5", "224.0.0.1", false), ("192.168.1.9", "10.42.1.5", true),
      ("192.168.1.9", "192.168.1.8", false), ("10.42.1.5", "192.168.1.9", true),
      ("fd42::5", "fd42:0:0:1::5", false), ("fd42::5", "2001:db8::9", true), ("fd42::5", "ff02::1", false),
    ])
  func passage(source: String, destination: String, masqueraded: Bool) throws {
    let text = destination.contains(":") ? "[\(destination)]:80" : "\(destination):80"
    #expect(
      try Node(tables()).connect(from: source, to: destination, 80) == .to(text, masqueraded: masqueraded))
  }
}
