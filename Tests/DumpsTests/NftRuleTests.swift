import Dumps
import NetpolModel
import Rendering
import RuleIR
import TestSupport
import Testing

/// A table of kube-router with `line` in its chain, on line 3.
private func table(_ line: String, _ family: IPFamily, _ name: String = "kube-router-filter-x") -> String {
  let set = "set S {\ntype \(family == .v4 ? "ipv4" : "ipv6")_addr\n}"
  return "table \(family == .v4 ? "ip" : "ip6") \(name) {\nchain C {\n\(line)\n}\n\(set)\n}\n"
}

private func rule(_ text: String, _ family: IPFamily = .v4) throws -> Rule? {
  try readNftList(table(text, family), file: "f").tables.first?.chain("C")?.rules.first
}

private let tcp = Match.port(.tcp, PortRange(80))

@Suite("Rules of nft list ruleset") struct NftRuleTests {
  static let matches: [(String, IPFamily, Match)] = [
    ("ip saddr 10.0.0.1", .v4, .address(.source, CIDR(IPAddress(v4: 0x0a00_0001)))),
    ("ip6 daddr != ::/0", .v6, .address(.destination, CIDR(IPAddress(v6: 0), prefixLength: 0), negated: true)),
    ("ip saddr != @S", .v4, .inSet(.source, "S", negated: true)), ("ip6 daddr @S", .v6, .inSet(.destination, "S")),
    ("meta l4proto udp", .v4, .transport(.udp)), ("meta l4proto 132", .v6, .transport(.sctp)),
    ("ip protocol tcp", .v4, .transport(.tcp)), ("tcp dport == 80", .v4, tcp),
    ("tcp dport 80-90", .v4, .port(.tcp, PortRange(80, 90))),
    ("tcp dport 80-80", .v4, .multiport(.tcp, [PortRange(80)])),
    ("udp dport 0-65535", .v4, .port(.udp, PortRange(0, 65535))),
    ("sctp dport { 1, 2-3 }", .v6, .multiport(.sctp, [PortRange(1), PortRange(2, 3)])),
    ("icmp type echo-request", .v4, .icmpType(8)), ("icmp type 255", .v4, .icmpType(255)),
    ("icmpv6 type mld2-listener-report", .v6, .icmpType(143)), ("icmpv6 type 1", .v6, .icmpType(1)),
    ("ct state established,related", .v4, .conntrack([.established, .related])),
    ("ct state { new, invalid }", .v4, .conntrack([.new, .invalid])), ("ct state 0x8", .v4, .conntrack([.new])),
    ("fib daddr type local", .v6, .local(.destination)), ("fib saddr type 2", .v4, .local(.source)),
    ("meta mark & 0x00010000 == 0x00000000", .v4, .mark(Mark(0, mask: 0x10000))),
    ("meta mark and 0x10000 != 0x10000", .v4, .mark(Mark(0x10000, mask: 0x10000), negated: true)),
    ("meta mark 0x00000010", .v4, .mark(Mark(16, mask: .max))),
    ("meta mark != 16", .v4, .mark(Mark(16, mask: .max), negated: true)),
    // Masks of the highest bits.
    ("meta mark 0x00010000/16", .v4, .mark(Mark(0x10000, mask: 0xffff_0000))),
    ("meta mark 0x00000000/0", .v4, .mark(Mark(0, mask: 0))), ("meta mark 0x1/32", .v4, .mark(Mark(1, mask: .max))),
    (
      "ip saddr { 10.0.0.1, 11.0.0.0/8 }", .v4,
      .addresses(.source, [CIDR(IPAddress(v4: 0x0a00_0001)), CIDR(IPAddress(v4: 0x0b00_0000), prefixLength: 8)])
    ),
    (
      "ip daddr != { 10.0.0.1-10.0.0.2 }", .v4,
      .addresses(.destination, [1, 2].map { CIDR(IPAddress(v4: 0x0a00_0000 + $0)) }, negated: true)
    ),
    ("ct status dnat", .v4, .translated), ("ct status 0x20", .v6, .translated),
    ("ip dscp lephb", .v4, .codePoint(1)), ("ip6 dscp 0x3e", .v6, .codePoint(62)), ("ip dscp 7", .v4, .codePoint(7)),
    ("limit rate 10/minute burst 7 packets", .v4, .limit(RateLimit(10, per: .minute, burst: 7))),
    ("limit rate 1/second", .v4, .limit(RateLimit(1, per: .second, burst: 5))),
  ]

  @Test("every match", arguments: matches.indices) func match(index: Int) throws {
    let (text, family, match) = Self.matches[index]
    #expect(try rule("\(text) accept", family) == Rule([match], [.accept]))
    #expect(try rule("\(text) counter packets 1 bytes 2 # handle 7", family) == Rule([match], [.counter]))
  }

  static let statements: [(String, IPFamily, Statement)] = [
    ("counter", .v4, .counter), ("counter packets 18446744073709551615 bytes 0", .v4, .counter),
    ("meta mark set 0x20", .v4, .setMark(Mark(32, mask: .max))),
    ("meta mark set meta mark", .v4, .setMark(Mark(0, mask: 0))),
    ("meta mark set meta mark | 0x10", .v4, .setMark(Mark(16, mask: 16))),
    ("meta mark set meta mark or 0x10", .v4, .setMark(Mark(16, mask: 16))),
    ("meta mark set mark or 0x10", .v4, .setMark(Mark(16, mask: 16))),
    ("meta mark set meta mark & 0xfffffff0", .v4, .setMark(Mark(0, mask: 15))),
    ("meta mark set meta mark ^ 0xf0", .v4, .setMark(Mark(0xf0, mask: 0))),
    ("meta mark set meta mark & 0xffff0012 | 0x12", .v4, .setMark(Mark(0x12, mask: 0xffff))),
    ("meta mark set meta mark and 0xffff0000 xor 0x12", .v4, .setMark(Mark(0x12, mask: 0xffff))),
    ("log group 0", .v4, .log(group: 0)),
    ("log prefix \"x # y\" group 65535", .v4, .log(group: 65535, prefix: "x # y")),
    ("log group 5 prefix \"\"", .v4, .log(group: 5, prefix: "")),
    ("goto NEXT", .v4, .goto("NEXT")),
    (
      "numgen random mod 2 vmap { 0 : goto a/b__10.0.0.1/80, 1 : goto c }", .v4,
      .gotoRandomly(["a/b__10.0.0.1/80", "c"])
    ),
    (
      "dnat ip to numgen random mod 2 map { 0 : 10.0.0.1 . 80, 1 : 10.0.0.2 . 81 }", .v4,
      .dnatRandomly([
        .init(IPAddress(v4: 0x0a00_0001), port: 80), .init(IPAddress(v4: 0x0a00_0002), port: 81),
      ])
    ),
    (
      "dnat ip6 addr . port to numgen random mod 1 map { 0 : fd00::1 . 80 }", .v6,
      .dnatRandomly([.init(IPAddress(v6: 0xfd << 120 | 1), port: 80)])
    ),
    ("jump NEXT", .v4, .jump("NEXT")), ("return", .v4, .return), ("accept", .v4, .accept), ("drop", .v4, .drop),
    ("reject", .v6, .reject(.portUnreachable)), ("reject with icmp port-unreachable", .v4, .reject(.portUnreachable)),
    ("reject with icmp type port-unreachable", .v4, .reject(.portUnreachable)),
    ("reject with icmp 3", .v4, .reject(.portUnreachable)), ("reject with icmpv6 4", .v6, .reject(.portUnreachable)),
    ("reject with icmpv6 port-unreachable", .v6, .reject(.portUnreachable)),
    ("reject with tcp reset", .v4, .reject(.tcpReset)),
    ("dnat to 10.0.0.1:80", .v4, .dnat(IPAddress(v4: 0x0a00_0001), port: 80)),
    ("dnat to 10.0.0.1", .v4, .dnat(IPAddress(v4: 0x0a00_0001), port: nil)),
    ("dnat to [fd00::1]:80", .v6, .dnat(IPAddress(v6: 0xfd << 120 | 1), port: 80)),
    ("masquerade", .v4, .masquerade(randomFully: false)),
    ("masquerade fully-random", .v6, .masquerade(randomFully: true)),
  ]

  @Test("every statement", arguments: statements.indices) func statement(index: Int) throws {
    let (text, family, statement) = Self.statements[index]
    #expect(try rule("tcp dport 80 \(text)", family) == Rule([tcp], [statement]))
    #expect(
      try rule("tcp dport 80 \(text) comment \"a\\b # { }\"", family) == Rule([tcp], [statement], comment: "a\\b # { }")
    )
  }

  @Test("the rules above cover every kind that nft lists, except those in NftKeyedSetTests") func complete() {
    let rules = Self.matches.map { Rule([$0.2], []) } + Self.statements.map { Rule([], [$0.2]) }
    #expect(Set(of: rules + NftKeyedSetTests.rules) == .sayable(in: .nftables))
  }

  @Test("a TCP reset gets a TCP match, as nft adds it") func reset() throws {
    #expect(try rule("reject with tcp reset") == Rule([.transport(.tcp)], [.reject(.tcpReset)]))
    #expect(try rule("meta l4proto tcp reject with tcp reset") == Rule([.transport(.tcp)], [.reject(.tcpReset)]))
  }

  static let bad = [
    "whatever", "\"accept\"", "accept drop", "accept counter", "counter tcp dport 80 accept",
    "log group 1 tcp dport 80",
    "comment \"a\" accept", "comment a", "accept comment \"a", "accept comment \"a\" \"b\"", "ip", "ip saddr",
    "ip saddr @",
    "ip6 saddr ::1 accept", "ip saddr ::1", "ip saddr 10.0.0.1-10.0.0.9", "ip saddr { 10.0.0.1, x }",
    "ip saddr 10.0.0.0/33", "ip saddr 10.0.0.1,10.0.0.2", "ip saddr @NOSUCH", "ip saddr . tcp dport { 10.0.0.1 . 80 }",
    "ip saddr vmap { 10.0.0.1 : drop }", "ip saddr set 10.0.0.1", "ip ttl 5", "ip saddr < 10.0.0.1",
    "ip saddr & 255.0.0.0 == 10.0.0.0",
    "ip6 nexthdr tcp", "meta l4proto icmp", "meta l4proto { tcp, udp }", "meta l4proto != tcp", "meta", "meta iif lo",
    "meta l4proto & 0x1 == 0x1", "ip protocol 47", "th dport 80", "tcp dport http", "tcp dport 65536", "tcp dport 080",
    "tcp dport 90-80", "tcp dport 1-2-3", "tcp dport != 80", "tcp dport { 80", "tcp dport { }", "tcp dport { 80,, 90 }",
    "tcp dport 80,90", "tcp dport @S", "tcp sport 80", "tcp flags syn", "icmp type 256", "icmp type nd-redirect",
    "icmp type != 8", "icmp type { 8, 0 }", "icmp code 3", "icmpv6 type 1", "ct state snat", "ct state != new",
    "ct state new |", "ct state 0x0", "ct state 0x3", "ct mark 1", "ct state", "fib saddr . iif type local",
    "fib saddr type unicast",
    "fib daddr type != local", "fib daddr oif lo", "fib", "meta mark", "meta mark 0x", "meta mark 0x100000000",
    "meta mark 4294967296", "meta mark 0x10-0x20", "meta mark { 0x1, 0x2 }", "meta mark 0x1/33",
    "meta mark & 0x1 == 0x1/3",
    "meta mark & 0x1", "meta mark & x == 0x1", "meta mark 1/2/3", "meta mark set", "meta mark set ct mark",
    "meta mark set meta mark |", "meta mark set meta mark | 0x1 & 0x2", "meta mark set meta mark << 0x1",
    "meta priority set 1", "limit", "limit rate", "limit rate over 1/second", "limit rate 10 kbytes/second",
    "limit rate 1/week", "limit rate 0/second", "limit rate 99999999999/second", "limit rate 1/second burst 0 packets",
    "limit rate 1/second burst 5 bytes", "limit rate 1/second burst 99999999999 packets", "log", "log prefix \"x\"",
    "log prefix x group 1", "log group 65536", "log group 1 snaplen 20", "log group 1 group 2", "log level warn",
    "counter name \"x\"", "counter packets 1", "counter packets x bytes 1", "reject with icmp host-prohibited",
    "reject with icmp 4", "reject with icmpv6 port-unreachable", "reject with icmpx port-unreachable",
    "reject with tcp",
    "reject with", "jump", "jump A B", "goto", "numgen random mod 3 vmap { 0 : goto C }", "continue", "queue",
    "masquerade to :1024-2000",
    "dnat to 10.0.0.1-10.0.0.9", "snat to 10.0.0.1", "dnat to fd00::1",
    "xt match \"comment\"", "accept # xt_statistic", "ip saddr 10.0.0.1 # match-set S src", "accept # handle",
    "accept #", "iifname \"eth*\" accept", "{", "}}", "{ }", ",", ";", "update @S { ip saddr }",
  ]

  @Test("rules that RuleIR can't express are errors in kube-router's tables and text in others", arguments: bad)
  func refused(text: String) throws {
    let error = #expect(throws: DumpError.self) { try readNftList(table(text, .v4), file: "dump.nft") }
    #expect(error?.line == 3)
    #expect(error?.text == text)
    #expect(error?.description == "dump.nft:3: \(error?.problem ?? ""): \(text)")

    if text == "{" { return }
    let dump = try readNftList(table("drop\n\(text)\nreturn", .v4, "filter"), file: "f")
    #expect(dump.tables.first?.chain("C")?.rules == [Rule([], [.drop]), Rule([], [.return])])
    let foreign = try #require(dump.foreign.first)
    #expect(dump.foreign.count == 1)
    #expect(foreign.identity == "rule ip filter C  1 1")
    #expect(foreign.text == text && foreign.line == 4 && foreign.problem == error?.problem)
  }
}
