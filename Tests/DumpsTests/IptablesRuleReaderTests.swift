import Dumps
import NetpolModel
import RuleIR
import TestSupport
import Testing

/// A filter table with `line` in it, on line 6.
private func table(_ line: String) -> String {
  "# head\n*filter\n:INPUT DROP [1:2]\n:FOREIGN - [0:0]\n:KUBE-ROUTER-INPUT - [0:0]\n\(line)\nCOMMIT\n# end\n"
}

private func rule(_ text: String, _ family: IPFamily = .v4) throws -> Rule? {
  let dump = try readIptablesSave(table("-A KUBE-ROUTER-INPUT\(text)"), family: family, file: "f")
  return dump.tables.first?.chain("KUBE-ROUTER-INPUT")?.rules.first
}

@Suite("Rules of iptables-save") struct IptablesRuleReaderTests {
  static let rules: [(String, IPFamily, Rule)] = [
    ("", .v4, Rule([], [])),
    (
      " -s 10.0.0.1/32 -p tcp -m set --match-set S src -m tcp --dport 80 -j ACCEPT", .v4,
      Rule(
        [.address(.source, CIDR(IPAddress(v4: 0x0a00_0001))), .inSet(.source, "S"), .port(.tcp, PortRange(80))],
        [.accept])
    ),
    (" -p udp -m mark --mark 0x1 -j DROP", .v4, Rule([.transport(.udp), .mark(Mark(1, mask: .max))], [.drop])),
    (
      " -p udp -m udp --sport 53 -m conntrack --ctstate UNTRACKED -j CT --notrack", .v4,
      Rule([.sourcePort(.udp, PortRange(53)), .conntrack([.untracked])], [.notrack])
    ),
    (" -p tcp -m tcp -j DROP", .v4, Rule([.transport(.tcp)], [.drop])),
    (
      " -p sctp -m multiport --dports 1,2:3 -m sctp --dport 2", .v4,
      Rule([.multiport(.sctp, [PortRange(1), PortRange(2, 3)]), .port(.sctp, PortRange(2))], [])
    ),
    (
      " -d ::/0 -p ipv6-icmp -m icmp6 --icmpv6-type 255 -j RETURN", .v6,
      Rule([.address(.destination, CIDR(IPAddress(v6: 0), prefixLength: 0)), .icmpType(255)], [.return])
    ),
    (
      " -m conntrack --ctstate INVALID -m nfacct --nfacct-name ct_state_invalid_dropped_pkts -j DROP", .v4,
      Rule([.conntrack([.invalid])], [.drop])
    ),
    (
      " ! -s 10.42.0.0/16 -d 10.43.0.10/32 -p tcp -m comment --comment \"kube-system/kube-dns:dns-tcp cluster IP\" -m tcp --dport 53 -j FOREIGN",
      .v4,
      Rule(
        [
          .address(.source, CIDR(IPAddress(v4: 0x0a2a_0000), prefixLength: 16), negated: true),
          .address(.destination, CIDR(IPAddress(v4: 0x0a2b_000a))), .port(.tcp, PortRange(53)),
        ], [.jump("FOREIGN")], comment: "kube-system/kube-dns:dns-tcp cluster IP")
    ),
    (
      " -m comment --comment x -m statistic --mode random --probability 0.33333333349 -j FOREIGN", .v4,
      Rule([.random(share: 715_827_883)], [.jump("FOREIGN")], comment: "x")
    ),
    (
      " -p tcp -m tcp -j DNAT --to-destination 10.42.0.5:53", .v4,
      Rule([.transport(.tcp)], [.dnat(IPAddress(v4: 0x0a2a_0005), port: 53)])
    ),
    (" -m dscp --dscp 0x0a -j FOREIGN", .v6, Rule([.codePoint(10)], [.jump("FOREIGN")])),
    (" -j MASQUERADE --random-fully", .v4, Rule([], [.masquerade(randomFully: true)])),
    (" -m limit --limit 1/sec -j NFLOG", .v4, Rule([.limit(RateLimit(1, per: .second, burst: 5))], [.log(group: 0)])),
    (" -m physdev --physdev-is-bridged -j FOREIGN", .v4, Rule([.bridged], [.jump("FOREIGN")])),
    (
      " -m addrtype --src-type LOCAL -j REJECT --reject-with icmp6-port-unreachable", .v6,
      Rule([.local(.source)], [.reject(.portUnreachable)])
    ),
    (
      " -m set ! --match-set S dst -j MARK --set-xmark 0x10000/0xffffffff", .v4,
      Rule([.inSet(.destination, "S", negated: true)], [.setMark(Mark(0x10000, mask: .max))])
    ),
  ]

  @Test("rules are read to values", arguments: rules.indices) func read(index: Int) throws {
    let (text, family, expected) = Self.rules[index]
    #expect(try rule(text, family) == expected)
    #expect(try readIptablesSave(table("[5:300] -A KUBE-ROUTER-INPUT\(text)"), family: family, file: "f").foreign == [])
  }

  @Test("the rules above cover every kind of match and statement that iptables-save prints") func complete() {
    // iptables-save prints the counters of every rule, so no rule has a counter statement.
    #expect(Set(of: Self.rules.map(\.2)) == Set.sayable(in: .iptables).subtracting([.counter]))
  }

  static let comments = [
    (#"kube-fwd"#, "kube-fwd"), (#""a b""#, "a b"), (#""\"rule\"""#, #""rule""#), (#""it\'s""#, "it's"),
    (#""a\\b""#, #"a\b"#), (#""""#, ""), (#""-j DROP""#, "-j DROP"), (#""\n""#, "n"), (#""ends \\""#, #"ends \"#),
    (#"a"b c""#, "ab c"), (#"back\slash"#, #"back\slash"#), (#""ünï 😀""#, "ünï 😀"), ("!", "!"),
  ]

  @Test("quoted comments are read", arguments: comments.indices) func quoting(index: Int) throws {
    let (text, comment) = Self.comments[index]
    #expect(try rule(" -m comment --comment \(text) -j DROP") == Rule([], [.drop], comment: comment))
  }

  static let bad = [
    #" -m comment --comment "open -j DROP"#, #" -m comment --comment "open\" -j DROP"#, " -m comment --comment",
    " -m comment -j DROP", " -m comment --comment a -m comment --comment b", " -m", " -j", " -s", " -p",
    " ! -p tcp -j DROP", " -s 10.0.0.0/8 -s 10.0.0.0/8", " -s ::1/128", " -s 10.0.0/8", " -s 10.0.0.0/33",
    " -s 10.0.0.0/255.0.0.0", " -i eth0", " ! -o docker0", " -p gre", " -p tcp -p tcp", " ! -p tcp", " -p icmp",
    " -p ipv6-icmp -m icmp6 --icmpv6-type 1", " -p icmp -m icmp --icmp-type 3/1", " -p icmp -m icmp --icmp-type any",
    " -p icmp -m icmp --icmp-type 255", " -p icmp -m icmp --icmp-type 256", " -p icmp -m icmp ! --icmp-type 8",
    " -m icmp --icmp-type 8", " -m tcp", " -m tcp --dport 80", " -p udp -m tcp --dport 80",
    " -p tcp -m tcp ! --dport 80",
    " -p tcp -m tcp --dport 65536", " -p tcp -m tcp --dport +80", " -p tcp -m tcp --dport 080",
    " -p tcp -m tcp --dport 90:80", " -p tcp -m tcp --dport :80", " -p tcp -m tcp --dport 1:2:3",
    " -p tcp -m tcp --dport http", " -p tcp -m tcp --dport 80 --sport 1",
    " -p tcp -m tcp --tcp-flags SYN SYN", " -m multiport --dports 1", " -p tcp -m multiport --dports 1,",
    " -p tcp -m multiport --sports 1", " -p icmp -m multiport --dports 1", " -p tcp --dport 80",
    " -m set --match-set S", " -m set --match-set S src,dst", " -m set --match-set S src --return-nomatch",
    " -m set ! --update-counters", " -m conntrack --ctstate SNAT", " -j CT --zone 1", " -m conntrack --ctstate NEW,",
    " -m conntrack ! --ctstate NEW", " -m state --state NEW", " -m physdev ! --physdev-is-bridged",
    " -m physdev --physdev-in a", " -m addrtype --src-type BROADCAST", " -m addrtype ! --src-type LOCAL",
    " -m addrtype --limit-iface-in", " -m mark --mark 0x", " -m mark --mark 0x100000000", " -m mark --mark 1/2/3",
    " -m mark --mark 0x1/", " -m mark --mark 16", " -m limit --limit 0/sec", " -m limit --limit 10001/sec",
    " -m limit --limit 5/week", " -m limit --limit 5", " -m limit --limit 5/min --limit-burst 0",
    " -m limit --limit 99999999999999999999/day", " -j LOG", " -j NOWHERE", " -j INPUT", " -g FOREIGN", " -j REJECT",
    " -j REJECT --reject-with icmp-host-prohibited", " -j REJECT --reject-with icmp6-port-unreachable",
    " -j MARK --set-mark 0x1", " -j MARK", " -j NFLOG --nflog-group 65536", " -j NFLOG --nflog-threshold 5",
    " -j ACCEPT -j DROP", " -j ACCEPT -m mark --mark 0x1", " DROP", " ! -j DROP", " !", " --", " -m nothing",
  ]

  @Test("rules that RuleIR can't express are errors in kube-router's chains and text in others", arguments: bad)
  func refused(text: String) throws {
    let line = "-A KUBE-ROUTER-INPUT\(text)"
    let error = #expect(throws: DumpError.self) {
      try readIptablesSave(table("-A INPUT -j DROP\n\(line)"), family: .v4, file: "dump.txt")
    }
    #expect(error?.line == 7)
    #expect(error?.text == line)
    #expect(error?.description == "dump.txt:7: \(error?.problem ?? ""): \(line)")

    let dump = try readIptablesSave(
      table("-A FOREIGN -j DROP\n-A FOREIGN\(text)\n-A FOREIGN -j RETURN"), family: .v4, file: "f")
    #expect(dump.tables.first?.chain("FOREIGN")?.rules == [Rule([], [.drop]), Rule([], [.return])])
    let foreign = try #require(dump.foreign.first)
    #expect(dump.foreign.count == 1)
    #expect(foreign.text == "-A FOREIGN\(text)")
    #expect(foreign.line == 7)
    #expect(foreign.position == 1)
    #expect(foreign.table == "filter" && foreign.chain == "FOREIGN" && foreign.problem == error?.problem)
  }

  @Test("the caller chooses which chains must be read") func required() throws {
    let text = table("-A INPUT -i eth0 -j DROP")
    #expect(try readIptablesSave(text, family: .v4, file: "f").foreign.count == 1)
    #expect(throws: DumpError.self) { try readIptablesSave(text, family: .v4, file: "f") { _ in true } }
    let own = table("-A KUBE-ROUTER-INPUT -i eth0 -j DROP")
    #expect(try readIptablesSave(own, family: .v4, file: "f") { _ in false }.foreign.count == 1)
  }
}

@Suite("Tables of iptables-save") struct TableReadingTests {
  @Test("built-in chains have the hooks and priorities of the kernel") func bases() throws {
    let all = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]
    let chains = [
      ("raw", ["PREROUTING", "OUTPUT"]), ("mangle", all), ("nat", all.filter { $0 != "FORWARD" }),
      ("filter", ["INPUT", "FORWARD", "OUTPUT"]), ("security", ["INPUT", "FORWARD", "OUTPUT"]),
    ]
    let text = chains.map { table, names in
      "*\(table)\n" + names.map { ":\($0) ACCEPT [0:0]\n" }.joined() + ":USER - [0:0]\nCOMMIT\n"
    }
    let tables = try readIptablesSave(text.joined(), family: .v6, file: "f").tables
    #expect(tables.map(\.name) == chains.map(\.0))
    #expect(tables.allSatisfy { $0.family == .v6 && $0.chain("USER")?.base == nil && $0.chains.count > 2 })
    let priorities = tables.map { $0.chains.compactMap(\.base?.priority) }
    #expect(
      priorities == [
        [-300, -300], Array(repeating: -150, count: 5), [-100, 100, -100, 100], [0, 0, 0], [50, 50, 50],
      ])
    #expect(tables[1].chains.compactMap(\.base?.hook) == [.prerouting, .input, .forward, .output, .postrouting])
    #expect(try readIptablesSave(table(""), family: .v4, file: "f").tables[0].chain("INPUT")?.base?.policy == .drop)
  }

  @Test("an empty dump has no tables") func empty() throws {
    for text in ["", "\n\n", "# Warning: iptables-legacy tables present\r\n"] {
      #expect(try readIptablesSave(text, family: .v4, file: "f") == IptablesDump())
    }
    #expect(try readIptablesSave("*filter\r\nCOMMIT\r\n", family: .v4, file: "f").tables.count == 1)
  }

  static let bad = [
    (1, ":INPUT ACCEPT [0:0]"), (1, "-A INPUT -j DROP"), (1, "COMMIT"), (1, "*broute"), (1, "*"), (1, "garbage"),
    (1, "*filter"), (3, "#\n#\n*filter\n:INPUT ACCEPT [0:0]"), (2, "*filter\n*nat\nCOMMIT"),
    (3, "*filter\nCOMMIT\n*filter\nCOMMIT"), (2, "*filter\n:INPUT\nCOMMIT"), (2, "*filter\n:INPUT ACCEPT\nCOMMIT"),
    (2, "*filter\n:INPUT ACCEPT 0:0\nCOMMIT"), (2, "*filter\n:INPUT ACCEPT [0]\nCOMMIT"),
    (2, "*filter\n:INPUT - [0:0]\nCOMMIT"), (2, "*filter\n:USER ACCEPT [0:0]\nCOMMIT"),
    (2, "*filter\n:PREROUTING ACCEPT [0:0]\nCOMMIT"), (2, "*filter\n:INPUT QUEUE [0:0]\nCOMMIT"),
    (2, "*filter\n: - [0:0]\nCOMMIT"), (3, "*filter\n:A - [0:0]\n:A - [0:0]\nCOMMIT"),
    (2, "*filter\n:MARK - [0:0]\nCOMMIT"), (2, "*filter\n-A A -j DROP\nCOMMIT"), (2, "*filter\n-I A -j DROP\nCOMMIT"),
    (2, "*filter\n-A\nCOMMIT"), (2, "*filter\n-A \nCOMMIT"), (3, "*filter\n:A - [0:0]\n[1] -A A\nCOMMIT"),
    (3, "*filter\n:A - [0:0]\n[1:1]-A A\nCOMMIT"), (2, "*filter\nCOMMIT now"), (2, "*filter\n<<<<<<< HEAD\nCOMMIT"),
  ]

  @Test("errors in broken tables name the line, whoever wrote them", arguments: bad.indices) func broken(index: Int) {
    let (line, text) = Self.bad[index]
    let error = #expect(throws: DumpError.self) {
      try readIptablesSave(text, family: .v4, file: "f") { _ in false }
    }
    #expect(error?.line == line, "\(error?.description ?? "") for \(text)")
  }

  @Test("an error is one line") func oneLine() {
    let error = #expect(throws: DumpError.self) {
      try readIptablesSave("a\rb\u{2028}c\u{0}", family: .v4, file: "f")
    }
    #expect(error?.description == #"f:1: not a line of iptables-save: a\rb\u2028c\x00"#)
  }
}
