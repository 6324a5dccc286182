// What this does not show: that whole nodes are rendered as the real controller writes them (LoweringTests), and that
// iptables-restore accepts the text (ApplyTests read it back from the kernel).
import NetpolModel
import Rendering
import RuleIR
import TestSupport
import Testing

private let host = CIDR(IPAddress(v4: 0x0a2a_000b))
private let mark = Mark(0x10000, mask: 0x10000)

@Suite("Rules as iptables-save prints them") struct RenderingTests {
  static let matches: [(Match, IPFamily, String)] = [
    (.address(.source, host), .v4, "-s 10.42.0.11/32"),
    (.address(.destination, CIDR(IPAddress(v6: 1), prefixLength: 64)), .v6, "-d ::/64"),
    (.address(.source, CIDR(IPAddress(v4: 0x0a2a_0000), prefixLength: 16), negated: true), .v4, "! -s 10.42.0.0/16"),
    (.random(share: 0x4000_0000), .v4, "-m statistic --mode random --probability 0.50000000000"),
    (.codePoint(5), .v4, "-m dscp --dscp 0x05"), (.codePoint(62), .v6, "-m dscp --dscp 0x3e"),
    (.random(share: 715_827_883), .v4, "-m statistic --mode random --probability 0.33333333349"),
    (.inSet(.source, "S"), .v4, "-m set --match-set S src"),
    (.inSet(.destination, "S", negated: true), .v4, "-m set ! --match-set S dst"),
    (.transport(.udp), .v4, "-p udp"),
    (.port(.tcp, PortRange(80)), .v4, "-p tcp -m tcp --dport 80"),
    (.port(.sctp, PortRange(80, 90)), .v6, "-p sctp -m sctp --dport 80:90"),
    (.multiport(.tcp, [PortRange(1, 2), PortRange(5)]), .v4, "-p tcp -m multiport --dports 1:2,5"),
    (.icmpType(8), .v4, "-p icmp -m icmp --icmp-type 8"),
    (.icmpType(128), .v6, "-p ipv6-icmp -m icmp6 --icmpv6-type 128"),
    (.conntrack([.established, .related]), .v4, "-m conntrack --ctstate RELATED,ESTABLISHED"),
    (.sourcePort(.udp, PortRange(53)), .v4, "-p udp -m udp --sport 53"),
    (.conntrack([.untracked, .new]), .v4, "-m conntrack --ctstate NEW,UNTRACKED"),
    (.conntrack([.invalid]), .v4, "-m conntrack --ctstate INVALID"),
    (.bridged, .v4, "-m physdev --physdev-is-bridged"),
    (.local(.source), .v4, "-m addrtype --src-type LOCAL"),
    (.local(.destination), .v4, "-m addrtype --dst-type LOCAL"),
    (.mark(mark), .v4, "-m mark --mark 0x10000/0x10000"),
    (.mark(mark, negated: true), .v4, "-m mark ! --mark 0x10000/0x10000"),
    (.limit(RateLimit(10, per: .minute, burst: 10)), .v4, "-m limit --limit 10/min --limit-burst 10"),
    (.limit(RateLimit(120, per: .hour, burst: 5)), .v4, "-m limit --limit 2/min"),
    (.limit(RateLimit(300, per: .second, burst: 0)), .v4, "-m limit --limit 303/sec"),
    (.limit(RateLimit(1440, per: .day, burst: 7)), .v4, "-m limit --limit 1/min --limit-burst 7"),
    (.limit(RateLimit(600, per: .minute, burst: 5)), .v4, "-m limit --limit 10/sec"),
  ]

  static let statements: [(Statement, IPFamily, String)] = [
    (.setMark(mark), .v4, " -j MARK --set-xmark 0x10000/0x10000"),
    (.setMark(Mark(0, mask: 0x10000)), .v4, " -j MARK --set-xmark 0x0/0x10000"),
    (.log(group: 100), .v4, " -j NFLOG --nflog-group 100"),
    (.log(group: 100, prefix: "DROP by a/b"), .v4, " -j NFLOG --nflog-prefix \"DROP by a/b\" --nflog-group 100"),
    (.jump("KUBE-POD-FW-X"), .v4, " -j KUBE-POD-FW-X"), (.return, .v4, " -j RETURN"), (.accept, .v4, " -j ACCEPT"),
    (.drop, .v4, " -j DROP"), (.counter, .v4, ""),
    (.reject(.portUnreachable), .v4, " -j REJECT --reject-with icmp-port-unreachable"),
    (.reject(.portUnreachable), .v6, " -j REJECT --reject-with icmp6-port-unreachable"),
    (.reject(.tcpReset), .v4, " -j REJECT --reject-with tcp-reset"),
    (.dnat(host.network, port: 53), .v4, " -j DNAT --to-destination 10.42.0.11:53"),
    (.dnat(host.network, port: nil), .v4, " -j DNAT --to-destination 10.42.0.11"),
    (.dnat(IPAddress(v6: 1), port: 53), .v6, " -j DNAT --to-destination [::1]:53"),
    (.notrack, .v4, " -j CT --notrack"),
    (.masquerade(randomFully: true), .v4, " -j MASQUERADE --random-fully"),
    (.masquerade(randomFully: false), .v4, " -j MASQUERADE"),
  ]

  @Test("every match", arguments: matches.indices) func match(index: Int) throws {
    let (match, family, text) = Self.matches[index]
    #expect(try iptablesRuleText(Rule([match], [.accept]), family) == " \(text) -j ACCEPT")
  }

  @Test("every statement", arguments: statements.indices) func statement(index: Int) throws {
    let (statement, family, text) = Self.statements[index]
    #expect(try iptablesRuleText(Rule([], [statement]), family) == text)
  }

  @Test("the tables above cover every kind of match and statement that iptables can express; others are refused")
  func complete() {
    let rules = Self.matches.map { Rule([$0.0], []) } + Self.statements.map { Rule([], [$0.0]) }
    #expect(Set(of: rules) == .sayable(in: .iptables))
    let others = unsayableRules(in: .iptables)
    #expect(Set(of: rules + others) == Set(RuleKind.allCases))
    for rule in others { #expect(throws: Unsupported.self) { try iptablesRuleText(rule, .v4) } }
  }

  @Test("addresses and protocol come first, the comment before the other matches but behind physdev")
  func order() throws {
    let rule = Rule(
      [.mark(mark), .inSet(.source, "S"), .bridged, .port(.tcp, PortRange(1)), .address(.destination, host)], [.return],
      comment: "a b")
    #expect(
      try iptablesRuleText(rule, .v4)
        == " -d 10.42.0.11/32 -p tcp -m physdev --physdev-is-bridged -m comment --comment \"a b\" "
        + "-m mark --mark 0x10000/0x10000 -m set --match-set S src -m tcp --dport 1 -j RETURN")
  }

  @Test(
    "a comment is quoted as xtables does",
    arguments: [
      ("plain-1_A", "plain-1_A"), ("two words", "\"two words\""), ("it's", "\"it\\'s\""), ("\"q\"", "\"\\\"q\\\"\""),
      ("back\\slash", "\"back\\\\slash\""), ("a/b", "\"a/b\""), ("", "\"\""),
      (String(repeating: "x", count: 300), String(repeating: "x", count: 255)),
    ]) func comment(text: String, quoted: String) throws
  {
    #expect(
      try iptablesRuleText(Rule([], [.accept], comment: text), .v4) == " -m comment --comment \(quoted) -j ACCEPT")
  }

  @Test("what iptables can't express is refused, not approximated")
  func unsupported() {
    #expect(throws: Unsupported("two statements in one rule", in: "iptables")) {
      try iptablesRuleText(Rule([], [.setMark(mark), .return]), .v4)
    }
    #expect(throws: Unsupported("two protocols in one rule", in: "iptables")) {
      try iptablesRuleText(Rule([.transport(.tcp), .icmpType(8)], [.return]), .v4)
    }
    #expect(throws: Unsupported("the interval set s", in: "ipset")) {
      try ipsetRestoreText([NamedSet(name: "s", family: .v4, kind: .interval)])
    }
  }

  @Test("a table has built-in chains in the kernel's order, then the others by name, with rules grouped by chain")
  func table() throws {
    let table = Table(
      name: "filter", family: .v4,
      chains: [
        Chain(name: "Z", rules: [Rule([], [.return]), Rule([], [.drop])]), Chain(name: "OUTPUT", base: .init(.output)),
        Chain(name: "A"), Chain(name: "INPUT", base: .init(.input, policy: .drop), rules: [Rule([], [.jump("Z")])]),
      ])
    #expect(
      try iptablesRestoreText(table) == """
        *filter
        :INPUT DROP [0:0]
        :OUTPUT ACCEPT [0:0]
        :A - [0:0]
        :Z - [0:0]
        -A INPUT -j Z
        -A Z -j RETURN
        -A Z -j DROP
        COMMIT

        """)
  }

  @Test("sets are sorted by name, with each member once, single addresses without a length, and exceptions marked")
  func sets() throws {
    let network = CIDR(IPAddress(v4: 0x0a00_0000), prefixLength: 8)
    let sets = [
      NamedSet(
        name: "b", family: .v4, kind: .hashNet,
        members: [.init(host, nomatch: true), .init(network), .init(network)]),
      NamedSet(name: "inet6:a", family: .v6, kind: .addresses, members: [.init(CIDR(IPAddress(v6: 1)))]),
    ]
    #expect(
      try ipsetRestoreText(sets) == """
        create b hash:net family inet hashsize 1024 maxelem 65536 timeout 0 bucketsize 12
        add b 10.0.0.0/8 timeout 0
        add b 10.42.0.11 timeout 0 nomatch
        create inet6:a hash:ip family inet6 hashsize 1024 maxelem 65536 timeout 0 bucketsize 12
        add inet6:a ::1 timeout 0

        """)
  }
}
