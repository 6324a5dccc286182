// What this does not show: that nft can read it (ApplyTests load it), and that whole nodes equal real dumps
// (LoweringTests).
import NetpolModel
import Rendering
import RuleIR
import TestSupport
import Testing

private let host = CIDR(IPAddress(v4: 0x0a2a_000b))
private let mark = Mark(0x10000, mask: 0x10000)

@Suite("Rules as nft lists them") struct NftTextTests {
  static let matches: [(Match, IPFamily, String)] = [
    (.address(.source, host), .v4, "ip saddr 10.42.0.11"),
    (.address(.destination, CIDR(IPAddress(v6: 0), prefixLength: 64)), .v6, "ip6 daddr ::/64"),
    (.inSet(.source, "S"), .v4, "ip saddr @S"), (.inSet(.destination, "S", negated: true), .v6, "ip6 daddr != @S"),
    (.transport(.udp), .v4, "meta l4proto udp"), (.port(.tcp, PortRange(80)), .v4, "tcp dport 80"),
    (.port(.sctp, PortRange(80, 90)), .v4, "sctp dport 80-90"),
    (.multiport(.udp, [PortRange(5000)]), .v4, "udp dport 5000-5000"),
    (.multiport(.tcp, [PortRange(1, 2), PortRange(5)]), .v4, "tcp dport { 1-2, 5 }"),
    (.icmpType(8), .v4, "icmp type echo-request"), (.icmpType(135), .v6, "icmpv6 type nd-neighbor-solicit"),
    (.icmpType(77), .v4, "icmp type 77"),
    (.conntrack([.related, .established]), .v4, "ct state established,related"),
    (.conntrack([.invalid]), .v4, "ct state invalid"), (.local(.source), .v4, "fib saddr type local"),
    (.mark(mark), .v4, "meta mark & 0x00010000 == 0x00010000"),
    (.mark(Mark(0, mask: 0x10000)), .v4, "meta mark & 0x00010000 == 0x00000000"),
    (.mark(mark, negated: true), .v4, "meta mark & 0x00010000 != 0x00010000"),
    (.limit(RateLimit(10, per: .minute, burst: 10)), .v4, "limit rate 10/minute burst 10 packets"),
    (.limit(RateLimit(1, per: .day, burst: 5)), .v4, "limit rate 1/day burst 5 packets"),
    (.keyed([.mark, .address(.source), .port], in: "S"), .v6, "meta mark . ip6 saddr . th dport @S"),
    (
      .addresses(.source, [host, CIDR(IPAddress(v4: 0x0b00_0000), prefixLength: 8)]), .v4,
      "ip saddr { 10.42.0.11, 11.0.0.0/8 }"
    ),
    (.addresses(.destination, [CIDR(IPAddress(v6: 0), prefixLength: 8)], negated: true), .v6, "ip6 daddr != { ::/8 }"),
    (.translated, .v4, "ct status dnat"), (.codePoint(0), .v4, "ip dscp cs0"), (.codePoint(2), .v4, "ip dscp 0x02"),
    (.codePoint(1), .v6, "ip6 dscp lephb"), (.codePoint(63), .v6, "ip6 dscp 0x3f"),
  ]

  static let statements: [(Statement, String)] = [
    (.counter, "counter"), (.setMark(mark), "meta mark set meta mark | 0x00010000"),
    (.setMark(Mark(0, mask: 0x10000)), "meta mark set meta mark & 0xfffeffff"), (.log(group: 100), "log group 100"),
    (.log(group: 7, prefix: "drop"), "log prefix \"drop\" group 7"), (.jump("C"), "jump C"), (.return, "return"),
    (.accept, "accept"), (.drop, "drop"), (.reject(.portUnreachable), "reject"),
    (.reject(.tcpReset), "reject with tcp reset"),
    (.setMarkFrom([.address(.source)], map: "M"), "meta mark set ip saddr map @M"),
    (.dnat(host.network, port: 80), "dnat to 10.42.0.11:80"), (.dnat(host.network, port: nil), "dnat to 10.42.0.11"),
    (.setMark(Mark(0x4000, mask: 0)), "meta mark set meta mark ^ 0x00004000"), (.goto("C"), "goto C"),
    (
      .verdictFrom([.address(.destination), .transport, .port], map: "M"),
      "ip daddr . meta l4proto . th dport vmap @M"
    ),
    (.gotoRandomly(["C", "D"]), "numgen random mod 2 vmap { 0 : goto C, 1 : goto D }"),
    (
      .dnatRandomly([.init(host.network, port: 80), .init(host.network, port: 81)]),
      "dnat ip to numgen random mod 2 map { 0 : 10.42.0.11 . 80, 1 : 10.42.0.11 . 81 }"
    ),
    (.dnat(IPAddress(v6: 1), port: 80), "dnat to [::1]:80"), (.masquerade(randomFully: false), "masquerade"),
    (.masquerade(randomFully: true), "masquerade fully-random"),
  ]

  @Test("every match", arguments: matches.indices) func match(index: Int) throws {
    let (match, family, text) = Self.matches[index]
    #expect(try nftRuleText(Rule([match], [.accept]), family) == "\(text) accept")
  }

  @Test("every statement", arguments: statements.indices) func statement(index: Int) throws {
    #expect(try nftRuleText(Rule([], [Self.statements[index].0]), .v4) == Self.statements[index].1)
  }

  @Test("the tables above cover every kind of match and statement that nft can express; others are refused")
  func complete() {
    let rules = Self.matches.map { Rule([$0.0], []) } + Self.statements.map { Rule([], [$0.0]) }
    #expect(Set(of: rules) == .sayable(in: .nftables))
    let others = unsayableRules(in: .nftables)
    #expect(Set(of: rules + others) == Set(RuleKind.allCases))
    for rule in others { #expect(throws: Unsupported.self) { try nftRuleText(rule, .v4) } }
  }

  @Test("what nft can't express is refused")
  func unsupported() {
    #expect(throws: Unsupported("a match on bridged packets", in: "nft")) {
      try nftRuleText(Rule([.bridged], [.accept]), .v4)
    }
    let set = NamedSet(name: "s", family: .v4, kind: .hashNet)
    #expect(throws: Unsupported("the set s of type hash:net", in: "nft")) {
      try nftText(Ruleset(backend: .nftables, tables: [Table(name: "t", family: .v4)], sets: [set]))
    }
  }

  @Test("a table has the sets of its family, then its chains, each with its comment")
  func table() throws {
    let chain = Chain(
      name: "IN", base: .init(.input),
      rules: [
        Rule([.inSet(.source, "s")], [.counter, .setMark(mark), .return], comment: "a/b"), Rule([], [.drop]),
      ], comment: "top")
    let sets = [
      NamedSet(name: "s", family: .v4, kind: .addresses, members: [.init(host)], comment: "netpol set"),
      NamedSet(name: "s", family: .v6, kind: .interval, members: [.init(CIDR(IPAddress(v6: 0), prefixLength: 8))]),
    ]
    let tables = [
      Table(name: "t4", family: .v4, chains: [chain], comment: "rules"), Table(name: "t6", family: .v6),
    ]
    #expect(
      try nftText(Ruleset(backend: .nftables, tables: tables, sets: sets)) == """
        table ip t4 {
        \tcomment "rules"
        \tset s {
        \t\ttype ipv4_addr
        \t\tcomment "netpol set"
        \t\telements = { 10.42.0.11 }
        \t}

        \tchain IN {
        \t\tcomment "top"
        \t\ttype filter hook input priority filter; policy accept;
        \t\tip saddr @s counter meta mark set meta mark | 0x00010000 return comment "a/b"
        \t\tdrop
        \t}
        }
        table ip6 t6 {
        \tset s {
        \t\ttype ipv6_addr
        \t\tflags interval
        \t\telements = { ::/8 }
        \t}
        }

        """)
  }
}
