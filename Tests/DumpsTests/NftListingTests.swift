import Dumps
import NetpolModel
import Rendering
import RuleIR
import Statistics
import TestSupport
import Testing
import Worlds

@Suite("A real nft listing is unchanged after reading and printing it") struct NftRoundTripTests {
  @Test("all listings exist") func count() {
    #expect(NftFixture.golden.count >= 40)
    #expect(NftFixture.mixed.count == 5)
    #expect(NftFixture.json.count == 2)
  }

  @Test("nft list ruleset", arguments: NftFixture.golden) func golden(fixture: NftFixture) throws {
    let read = try fixture.read()
    let ruleset = read.kubeRouter
    try ruleset.checkWellFormed()
    #expect(try lines(nftText(ruleset)) == lines(fixture.text))
    #expect(read.foreign.allSatisfy { $0.kind == .rule && $0.table == "filter" })
    let others = read.tables.filter { !isKubeRouterTable($0.name) }
    #expect(Set(others.map(\.name)).isSubset(of: ["filter"]))
    #expect(others.allSatisfy { table in table.chains.filter { $0.base != nil }.count == 3 })
  }

  /// The lines of kube-router's tables, with elements on one line and counters without numbers.
  private func lines(_ text: String) -> [String] {
    var result: [String] = []
    var isForeign = false
    for line in text.split(separator: "\n") {
      var line = line.drop { $0 == "\t" || $0 == " " }
      if line.hasPrefix("table ") { isForeign = !line.contains(" kube-router-filter") }
      if isForeign { continue }
      if let counter = line.firstRange(of: "counter packets ") {
        let words = line[counter.upperBound...].split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
        line = line[..<counter.lowerBound] + "counter" + (words.count > 3 ? " " + words[3] : "")
      }
      if let last = result.last, last.hasPrefix("elements"), !last.hasSuffix("}") {
        result[result.count - 1] += " " + line
      } else {
        result.append(String(line))
      }
    }
    return result
  }

  @Test("handles, numeric output and counts don't change what is read") func variants() throws {
    let plain = try #require(NftFixture("nft-json/mixed.nft")).read()
    for path in ["nft-json/mixed.handles.nft", "nft-json/mixed.numeric.nft"] {
      let other = try #require(NftFixture(path)).read()
      #expect(other.tables == plain.tables)
      #expect(other.sets == plain.sets)
      #expect(other.foreign.map(\.identity) == plain.foreign.map(\.identity))
    }
    let text = try #require(NftFixture("nft-json/mixed.nft")).text
    let counted = text.replacing("packets 0 bytes 0", with: "packets 18446744073709551615 bytes 7")
    #expect(try readNftList(counted, file: "f").tables == plain.tables)
    #expect(try readNftList(text.replacing(" packets 0 bytes 0", with: ""), file: "f").tables == plain.tables)
    #expect(try readNftList(text.replacing("\n", with: "\r\n"), file: "f").sets == plain.sets)
  }

  @Test("the output of nftText is read back to the same value", arguments: 0..<300) func values(seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    let tables = IPFamily.allCases.map { family in
      let rules = (0..<15).map { _ in randomNftRule(family, &generator) }
      return Table(
        name: "kube-router-filter-\(family)", family: family,
        chains: [
          Chain(name: "B", base: Chain.Base(.forward, priority: -5, policy: .drop), rules: rules, comment: "base"),
          Chain(name: "C", comment: "top"), Chain(name: "D", rules: [Rule([], [.drop])]),
        ], comment: seed % 2 == 0 ? nil : "table \(family)")
    }
    let sets = IPFamily.allCases.flatMap { family in
      let members = Set((0..<seed % 5).map { _ in CIDR(randomAddress(family, &generator).network) })
      return [
        NamedSet(name: "S", family: family, kind: .addresses, members: members.sorted().map { .init($0) }),
        NamedSet(
          name: "T", family: family, kind: .interval, members: [.init(randomAddress(family, &generator))],
          comment: "c"),
      ]
    }
    let ruleset = Ruleset(backend: .nftables, tables: tables, sets: sets)
    let read = try readNftList(try nftText(ruleset), file: "f")
    #expect(read.tables == tables)
    #expect(read.sets == sets)
    #expect(read.foreign == [])
  }

  @Test("the random rules cover every kind that nft lists, except lookups in sets of joined fields") func kinds() {
    var generator = SplitMix64(seed: 1)
    let rules = (0..<500).map { _ in randomNftRule(.v4, &generator) }
    #expect(Set(of: rules) == Set.sayable(in: .nftables).subtracting([.keyed, .setMarkFrom, .verdictFrom]))
  }
}

private func randomAddress(_ family: IPFamily, _ generator: inout SplitMix64) -> CIDR {
  let bits = UInt128(generator.next()) << 64 | UInt128(generator.next())
  return CIDR(
    IPAddress(family: family, bits: bits),
    prefixLength: Int.random(in: 0...family.bitWidth, using: &generator))
}

/// A random rule that nftText can print.
/// nf_tables takes translations in some chains only. Without them every rule fits everywhere.
func randomNftRule(_ family: IPFamily, _ generator: inout SplitMix64, translating: Bool = true) -> Rule {
  func pick<T>(_ choices: [T]) -> T { choices[Int.random(in: choices.indices, using: &generator)] }
  func number() -> UInt32 { pick([0, .max, 0x10000, UInt32.random(in: 0...UInt32.max, using: &generator)]) }
  func range() -> PortRange {
    let first = UInt16.random(in: 0...UInt16.max, using: &generator)
    return PortRange(first, pick([first, UInt16.random(in: first...UInt16.max, using: &generator)]))
  }
  func text() -> String {
    let characters = Array("ab -'\\/:é!#{},;=\t")
    return String((0..<pick([0, 1, 9])).map { _ in pick(characters) })
  }
  let matches: [Match] = [
    .address(pick(Side.allCases), randomAddress(family, &generator), negated: pick([true, false])),
    .inSet(pick(Side.allCases), pick(["S", "T"]), negated: pick([true, false])),
    .transport(pick(Transport.allCases)), .port(pick(Transport.allCases), range()),
    .multiport(pick(Transport.allCases), pick([[range(), range()], [PortRange(80)], [range(), range(), range()]])),
    .icmpType(UInt8.random(in: 0...255, using: &generator)),
    .conntrack(Set(ConntrackState.allCases.shuffled(using: &generator).prefix(pick([1, 2, 3, 4])))),
    .addresses(
      pick(Side.allCases), Set((0..<2).map { _ in CIDR(randomAddress(family, &generator).network) }).sorted(),
      negated: pick([true, false])),
    .translated, .codePoint(UInt8.random(in: 0...63, using: &generator)),
    .local(pick(Side.allCases)), .mark(Mark(number(), mask: number()), negated: pick([true, false])),
    .limit(RateLimit(pick([1, 10]), per: pick(RateLimit.Unit.allCases), burst: pick([1, 5, 10_000]))),
  ]
  var statements: [Statement] = [
    .counter, .setMark(Mark(number(), mask: number())),
    .log(group: UInt16(number() & 0xffff), prefix: pick([nil, text()])),
  ]
  statements = Array(statements.shuffled(using: &generator).prefix(pick([0, 1, 2, 3])))
  let translations: [Statement] = [
    .masquerade(randomFully: pick([true, false])),
    .dnat(randomAddress(family, &generator).network, port: pick([nil, 1, 65535])),
    .dnatRandomly(
      (0..<pick([1, 3])).map { _ in .init(randomAddress(family, &generator).network, port: pick([1, 65535])) }),
  ]
  statements.append(
    pick(
      [
        .accept, .drop, .return, .reject(.portUnreachable), .jump("C"), .goto("C"),
        .gotoRandomly(pick([["C"], ["C", "C"]])),
      ]
        + (translating ? translations : [])))
  return Rule(
    Array(matches.shuffled(using: &generator).prefix(pick([0, 1, 2, 3]))), statements, comment: pick([nil, text()]))
}

/// A table with `body` in it, on line 2.
private func table(_ body: String, _ head: String = "ip kube-router-filter-ipv4") -> String {
  "table \(head) {\n\(body)\n}\n"
}

@Suite("Tables of nft list ruleset") struct NftTableTests {
  @Test("an empty listing has no tables") func empty() throws {
    for text in ["", "\n\n", "# Warning: table ip filter is managed by iptables-nft, do not touch!\n"] {
      #expect(try readNftList(text, file: "f") == NftDump())
    }
    let owned = "table ip t { # handle 5 progname nft\nflags owner\n}\n"
    #expect(try readNftList(owned, file: "f").tables == [Table(name: "t", family: .v4)])
    #expect(try readNftList("table ip6 t {\r\n}\r\n", file: "f").tables == [Table(name: "t", family: .v6)])
  }

  static let bases = [
    ("filter", 0), ("filter + 10", 10), ("filter - 1", -1), ("raw", -300), ("mangle", -150), ("dstnat", -100),
    ("security", 50), ("srcnat + 1", 101), ("-250", -250), ("2147483647", 2_147_483_647),
  ]

  @Test("a base chain's priority is a name or a number", arguments: bases.indices) func base(index: Int) throws {
    let (text, priority) = Self.bases[index]
    for kind in [Chain.Base.Kind.filter, .nat] {
      let body = "chain C {\ntype \(kind.rawValue) hook prerouting priority \(text); policy drop;\n}"
      let chain = try readNftList(table(body), file: "f").tables.first?.chain("C")
      #expect(chain?.base == Chain.Base(.prerouting, kind: kind, priority: priority, policy: .drop))
    }
  }

  @Test("a range is read as the networks that it consists of") func ranges() throws {
    let ranges = [
      ("10.0.0.1-10.0.0.6", ["10.0.0.1/32", "10.0.0.2/31", "10.0.0.4/31", "10.0.0.6/32"]),
      ("0.0.0.0-255.255.255.255", ["0.0.0.0/0"]), ("255.255.255.254-255.255.255.255", ["255.255.255.254/31"]),
      ("0.0.0.0-0.0.0.0", ["0.0.0.0/32"]), ("10.0.0.0-10.0.0.255", ["10.0.0.0/24"]),
    ]
    for (range, networks) in ranges {
      let body = "set S {\ntype ipv4_addr\nflags interval\nelements = { \(range) }\n}"
      let members = try readNftList(table(body), file: "f").sets.first?.members
      #expect(members?.map(\.cidr.description) == networks)
    }
    let all = "set S {\ntype ipv6_addr\nflags interval\nelements = { ::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff }\n}"
    let read = try readNftList(table(all, "ip6 kube-router-filter-ipv6"), file: "f")
    #expect(read.sets.first?.members.map(\.cidr.description) == ["::/0"])
    let most = all.replacing("::-", with: "::1-").replacing("ffff }", with: "fffe }")
    let parts = try readNftList(table(most, "ip6 t"), file: "f").sets.first?.members
    #expect(parts?.count == 254)
  }

  @Test("tables of other families are foreign as a whole, with the count of their rules") func families() throws {
    for family in ["inet", "bridge", "arp", "netdev"] {
      let text = "chain C {\ntype filter hook input priority 0; policy accept;\ntcp dport 1\nwhatever { }\n}"
      let read = try readNftList(table(text, "\(family) t"), file: "f")
      #expect(read.tables == [])
      #expect(read.foreign.map(\.identity) == ["table \(family) t   0 2"])
      #expect(throws: DumpError.self) { try readNftList(table("", "\(family) kube-router-filter-x"), file: "f") }
    }
    #expect(try readNftList(table("flags dormant", "ip t"), file: "f").foreign.map(\.kind) == [.table])
    #expect(try readNftList(table("flags owner,persist", "ip t"), file: "f").tables.count == 1)
  }

  @Test("what RuleIR can't express in tables of other programs is kept as foreign") func foreign() throws {
    let read = try #require(NftFixture("nft-json/mixed.nft")).read()
    #expect(
      read.foreign.map(\.identity) == [
        "table inet firewalld   0 2", "table bridge ports   0 0", "map ip filter  verdicts 0 0",
        "set ip filter  KUBE-SRC-A 0 0", "set ip filter  ports 0 0", "rule ip filter INPUT  1 1",
        "rule ip filter INPUT  1 1", "rule ip filter INPUT  1 1", "rule ip filter INPUT  1 1",
        "rule ip filter USER  0 1", "rule ip filter USER  0 1",
      ])
    let filter = read.tables.first { $0.name == "filter" }
    #expect(filter?.chains.map(\.name) == ["INPUT", "USER", "POSTROUTING"])
    #expect(filter?.chains.map(\.rules.count) == [2, 1, 1])
    #expect(read.foreign.first { $0.kind == .rule }?.problem == "this table has no set KUBE-SRC-A, or it was not read")
    #expect(read.foreign.first { $0.kind == .rule }?.text == "ip saddr @KUBE-SRC-A accept")
    #expect(read.sets.map(\.name) == ["KUBE-SRC-A", "KUBE-DST-B"])
  }

  @Test("of two sets with one name kube-router's is kept, whichever comes first") func collision() throws {
    let set = { (address: String) in "set S {\ntype ipv4_addr\nelements = { \(address) }\n}" }
    let text = table(set("1.1.1.1"), "ip t") + table(set("2.2.2.2")) + table(set("3.3.3.3"), "ip u")
    let read = try readNftList(text, file: "f")
    #expect(read.sets.map { $0.members.map(\.cidr.description) } == [["2.2.2.2/32"]])
    #expect(read.foreign.map(\.identity) == ["set ip t  S 0 0", "set ip u  S 0 0"])
    #expect(read.foreign.map(\.line) == [2, 14])
    let both = table(set("1.1.1.1")) + table(set("1.1.1.1"), "ip kube-router-filter-other")
    #expect(throws: DumpError.self) { try readNftList(both, file: "f") }
  }

  @Test("the caller chooses which tables must be read") func required() throws {
    let text = table("chain C {\niifname \"eth0\" drop\n}", "ip t")
    #expect(try readNftList(text, file: "f").foreign.count == 1)
    #expect(throws: DumpError.self) { try readNftList(text, file: "f") { _ in true } }
    let own = table("chain C {\niifname \"eth0\" drop\n}")
    #expect(try readNftList(own, file: "f") { _ in false }.foreign.count == 1)
  }

  @Test("a jump to a missing chain is read, and the check of the ruleset finds it") func missingChain() throws {
    let read = try readNftList(table("chain C {\njump NOWHERE\n}"), file: "f")
    #expect(throws: IllFormed(defect: .unknownChain("NOWHERE"))) { try read.kubeRouter.checkWellFormed() }
  }

  static let broken = [
    (1, "}"), (1, "chain C {\n}"), (1, "garbage"), (1, "table ip {\n}"), (1, "table ip t u {\n}"), (1, "table ip t {"),
    (2, "table ip t {\nchain C {\n"), (3, "table ip t {\nchain C {\nchain D {\n}\n}"),
    (2, "table ip t {\ntable ip u {\n}\n}"), (3, "table ip t {\n}\ntable ip t {\n}"),
    (4, "table ip t {\nchain C {\n}\nchain C {\n}\n}"), (4, "table ip t {\nset C {\n}\nmap C {\n}\n}"),
    (2, "table ip t {\nchain {\n}\n}"), (2, "table ip t {\nwhatever\n}"), (2, "table ip t {\ncomment x\n}"),
    (3, "table ip t {\nset S {\nelements = { 1 } }\n}\n}"), (3, "table ip t {\nset S {\ncomment \"x\n}\n}"),
    (3, "table ip t {\nset S {\nset T {\n}\n}\n}"), (1, "table ip \"t\n{"), (2, "table ip t {\nchain \"C {\n}\n}"),
  ]

  @Test("errors in broken listings name the line, whoever wrote them", arguments: broken.indices)
  func refusedListing(index: Int) {
    let (line, text) = Self.broken[index]
    let error = #expect(throws: DumpError.self) { try readNftList(text, file: "f") { _ in false } }
    #expect(error?.line == line, "\(error?.description ?? "") for \(text)")
  }

  static let unsayable = [
    (1, "flags dormant"), (2, "map M {\ntype ipv4_addr : inet_service\n}"),
    (2, "ct helper H {\ntype \"ftp\" protocol tcp\n}"),
    (2, "flowtable F {\nhook ingress priority filter\ndevices = { lo }\n}"), (2, "set S {\n}"),
    (3, "set S {\ntype inet_service\n}"), (3, "set S {\ntype ipv6_addr\n}"),
    (3, "set S {\ntype ipv4_addr . ifname\n}"), (4, "set S {\ntype ipv4_addr\nflags dynamic\n}"),
    (4, "set S {\ntype ipv4_addr\nlimit rate 1/second\n}"),
    (4, "set S {\ntype ipv4_addr\nelements = { 10.0.0.0/8 }\n}"),
    (4, "set S {\ntype ipv4_addr\nelements = { 10.0.0.1-10.0.0.2 }\n}"),
    (5, "set S {\ntype ipv4_addr\nelements = { 10.0.0.1,\n::1 }\n}"),
    (4, "set S {\ntype ipv4_addr\nelements = { 10.0.0.1 10.0.0.2 }\n}"),
    (4, "set S {\ntype ipv4_addr\nsize\n}"), (4, "set S {\ntype ipv4_addr\nauto-merge now\n}"),
    (5, "set S {\ntype ipv4_addr\nflags interval\nelements = { 10.0.0.9-10.0.0.2 }\n}"),
    (3, "chain C {\ntype route hook input priority 0; policy accept;\n}"),
    (3, "chain C {\ntype filter hook ingress priority 0; policy accept;\n}"),
    (3, "chain C {\ntype filter hook input device \"lo\" priority 0; policy accept;\n}"),
    (3, "chain C {\ntype filter hook input priority high; policy accept;\n}"),
    (3, "chain C {\ntype filter hook input priority 99999999999; policy accept;\n}"),
    (3, "chain C {\ntype filter hook input priority filter + 99999999999; policy accept;\n}"),
    (3, "chain C {\ntype filter hook input priority 0; policy queue;\n}"), (3, "chain C {\nip saddr @S accept\n}"),
  ]

  @Test("kube-router's tables must be read fully", arguments: unsayable.indices) func refusedObject(index: Int) throws {
    let (line, body) = Self.unsayable[index]
    let error = #expect(throws: DumpError.self) { try readNftList(table(body), file: "f") }
    #expect(error?.line == line, "\(error?.description ?? "") for \(body)")
    #expect(try readNftList(table(body, "ip t"), file: "f").foreign.isEmpty == false)
  }

  @Test("an error is one short line") func oneLine() {
    let long = String(repeating: "é", count: 100_000)
    let error = #expect(throws: DumpError.self) { try readNftList("a\u{2028}\u{0}\(long)", file: "f") }
    #expect(error?.description.utf8.count ?? 0 < 500)
    #expect(error?.description.hasPrefix(#"f:1: not a line of nft list ruleset: a\u2028\x00éé"#) == true)
    #expect(error?.text.hasSuffix("é…") == true)
  }
}
