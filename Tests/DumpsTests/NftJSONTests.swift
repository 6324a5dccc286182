import Dumps
import Foundation
import NetpolModel
import Rendering
import RuleIR
import Statistics
import TestSupport
import Testing
import Worlds

/// Loads a listing into its own network namespace and lists it as JSON.
private enum NftProgram {
  static func run(_ arguments: String...) throws -> (status: Int32, output: String) { try Unshared.run(arguments) }
  static let isUsable = Unshared.canRun(["nft", "list", "ruleset"])
}

@Suite("nft JSON is read to the same values as nft text") struct NftJSONTests {
  /// Pairs of JSON and text, for each case and for the mixed ruleset.
  static let pairs: [(NftFixture, NftFixture)] =
    NftFixture.json.compactMap { json in
      let name = json.path.split(separator: "/").last?.dropLast(".json".count) ?? ""
      return NftFixture("golden/\(name)/v2.11.1-nft/ruleset.nft").map { (json, $0) }
    }
    + ["mixed", "mixed.numeric"].compactMap { name in
      NftFixture("nft-json/\(name).json").flatMap { json in NftFixture("nft-json/\(name).nft").map { (json, $0) } }
    }

  @Test("recorded listings", arguments: pairs.indices) func recorded(index: Int) throws {
    #expect(Self.pairs.count == 4)
    let (json, text) = Self.pairs[index]
    try expectSame(try json.read(), try text.read())
  }

  @Test(
    "every listing, loaded by nft and listed as JSON",
    .enabled(if: NftProgram.isUsable, "needs nft, and root or unprivileged user namespaces"),
    arguments: NftFixture.golden)
  func loaded(fixture: NftFixture) throws {
    let (status, json) = try NftProgram.run("sh", "-c", "nft -f \"$0\" && nft -j list ruleset", fixture.file)
    try #require(status == 0)
    try expectSame(try readNftJSON(json, file: "json"), try fixture.read())
  }

  @Test(
    "random rules, loaded by nft and listed as JSON, are unchanged",
    .enabled(if: NftProgram.isUsable, "needs nft, and root or unprivileged user namespaces"),
    arguments: 0..<10)
  func random(seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    let tables = IPFamily.allCases.map { family in
      let rules = (0..<60).map { _ in
        // Only one match, because two may contradict each other. nft sorts and merges ports in a set.
        var rule = randomNftRule(family, &generator, translating: false)
        rule.matches = rule.matches.suffix(1).filter { if case .multiport = $0 { false } else { true } }
        return rule
      }
      return Table(
        name: "kube-router-filter-\(family)", family: family,
        chains: [Chain(name: "B", base: Chain.Base(.output), rules: rules), Chain(name: "C")])
    }
    let sets = IPFamily.allCases.flatMap { family in
      ["S", "T"].map { NamedSet(name: $0, family: family, kind: .addresses) }
    }
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).nft")
    defer { try? FileManager.default.removeItem(at: file) }
    let values = Ruleset(backend: .nftables, tables: tables, sets: sets)
    try nftText(values).write(to: file, atomically: true, encoding: .utf8)
    let text = try NftProgram.run("sh", "-c", "nft -f \"$0\" && nft list ruleset", file.path)
    let json = try NftProgram.run("sh", "-c", "nft -f \"$0\" && nft -j list ruleset", file.path)
    try #require(text.status == 0 && json.status == 0)
    let read = try readNftList(text.output, file: "text")
    try expectSame(try readNftJSON(json.output, file: "json"), read)
    #expect(read.tables == tables)
    #expect(read.sets == sets)
  }

  private func expectSame(_ json: NftDump, _ text: NftDump) throws {
    #expect(json.withoutObjectComments == text.withoutObjectComments)
    #expect(json.foreign.map(\.identity).sorted() == text.foreign.map(\.identity).sorted())
  }

  /// A listing with one rule, in kube-router's table or another.
  private func listing(_ expressions: String, table: String = "kube-router-filter-x", separator: String = " ") -> String
  {
    let place = "\"family\": \"ip\", \"table\": \"\(table)\""
    return [
      "{\"nftables\": [{\"metainfo\": {}},", "{\"table\": {\"family\": \"ip\", \"name\": \"\(table)\"}},",
      "{\"chain\": {\(place), \"name\": \"C\"}},", "{\"rule\": {\(place), \"chain\": \"C\", \"expr\": []}},",
      "{\"rule\": {\(place), \"chain\": \"C\", \"handle\": 17, \"expr\": [\(expressions)]}}", "]}",
    ].joined(separator: separator)
  }

  private static func match(_ left: String, _ right: String, _ sign: String = "==") -> String {
    #"{"match": {"op": "\#(sign)", "left": \#(left), "right": \#(right)}}"#
  }
  private static let mark = #"{"meta": {"key": "mark"}}"#
  private static let source = #"{"payload": {"protocol": "ip", "field": "saddr"}}"#

  static let rules: [(String, Rule)] = [
    (match(#"{"ct": {"key": "state"}}"#, #"["new", 2]"#, "in"), Rule([.conntrack([.new, .established])], [])),
    (match(#"{"&": [\#(mark), 65536]}"#, "0", "!="), Rule([.mark(Mark(0, mask: 65536), negated: true)], [])),
    (match(mark, #"{"prefix": {"addr": 65536, "len": 16}}"#), Rule([.mark(Mark(65536, mask: 0xffff_0000))], [])),
    (match(#"{"fib": {"result": "type", "flags": "daddr"}}"#, "\"local\""), Rule([.local(.destination)], [])),
    (#"{"limit": {"rate": 3, "per": "hour"}}"#, Rule([.limit(RateLimit(3, per: .hour, burst: 5))], [])),
    (#"{"counter": null}, {"reject": null}"#, Rule([], [.counter, .reject(.portUnreachable)])),
    (
      #"{"dnat": {"addr": "10.0.0.1", "port": 80}}"#, Rule([], [.dnat(IPAddress(v4: 0x0a00_0001), port: 80)])
    ), (#"{"dnat": {"addr": "10.0.0.1"}}"#, Rule([], [.dnat(IPAddress(v4: 0x0a00_0001), port: nil)])),
    (
      #"{"dnat": {"family": "ip", "addr": {"map": {"key": {"numgen": {"mode": "random", "mod": 1, "offset": 0}},"#
        + #""data": {"set": [[0, {"concat": ["10.0.0.1", 80]}]]}}}}}"#,
      Rule([], [.dnatRandomly([.init(IPAddress(v4: 0x0a00_0001), port: 80)])])
    ),
    (
      #"{"vmap": {"key": {"numgen": {"mode": "random", "mod": 2, "offset": 0}},"#
        + #""data": {"set": [[0, {"goto": {"target": "A"}}], [1, {"goto": {"target": "B"}}]]}}}"#,
      Rule([], [.gotoRandomly(["A", "B"])])
    ), (#"{"goto": {"target": "A"}}"#, Rule([], [.goto("A")])),
    (match(#"{"ct": {"key": "status"}}"#, "\"dnat\"", "in"), Rule([.translated], [])),
    (
      match(source, #"{"set": [{"prefix": {"addr": "10.0.0.0", "len": 8}}, "11.0.0.1"]}"#, "!="),
      Rule(
        [
          .addresses(
            .source,
            [CIDR(IPAddress(v4: 0x0a00_0000), prefixLength: 8), CIDR(IPAddress(v4: 0x0b00_0001))], negated: true)
        ], [])
    ), (#"{"masquerade": null}"#, Rule([], [.masquerade(randomFully: false)])),
    (#"{"masquerade": {"flags": "fully-random"}}"#, Rule([], [.masquerade(randomFully: true)])),
    (
      #"{"mangle": {"key": \#(mark), "value": {"|": [{"&": [\#(mark), 4294901778]}, 18]}}}"#,
      Rule([], [.setMark(Mark(18, mask: 0xffff))])
    ),
    (#"{"mangle": {"key": \#(mark), "value": {"|": [\#(mark), 1, 2]}}}"#, Rule([], [.setMark(Mark(3, mask: 3))])),
    (#"{"log": {"group": 5, "prefix": "\u00e9\ud83d\ude00\"\\"}}"#, Rule([], [.log(group: 5, prefix: "é😀\"\\")])),
  ]

  @Test("rules", arguments: rules.indices) func rule(index: Int) throws {
    let (text, rule) = Self.rules[index]
    #expect(try readNftJSON(listing(text), file: "f").tables.first?.chains.first?.rules == [Rule([], []), rule])
  }

  static let bad = [
    match(source, #"{"range": ["10.0.0.1", "10.0.0.9"]}"#), match(source, #"{"set": ["x"]}"#),
    match(source, "null"), match(source, #"{"prefix": {"addr": "10.0.0.0"}}"#), match(source, "\"10.0.0.1\"", "<"),
    match(#"{"&": [\#(source), 1]}"#, "1"), match(#"{"&": [\#(mark), "x"]}"#, "1"), match(#"{"&": [\#(mark)]}"#, "1"),
    match(mark, "4294967296"), match(mark, "-1"), match(mark, "1.5"), match(mark, "1e3"),
    match(#"{"payload": {"base": "th", "offset": 0, "len": 16}}"#, "80"),
    match(#"{"ct": {"key": "state", "dir": "original"}}"#, "\"new\""),
    match(#"{"fib": {"result": "type", "flags": ["saddr", "iif"]}}"#, "\"local\""), match("7", "7"),
    #"{"match": {"left": 1, "right": 2}}"#, #"{"counter": "name"}"#, #"{"log": null}"#,
    #"{"log": {"group": 1, "snaplen": 2}}"#,
    #"{"limit": {"rate": 1, "per": "week"}}"#, #"{"limit": {"rate": 1, "per": "second", "inv": true}}"#,
    #"{"reject": {"type": "icmp", "expr": "host-prohibited"}}"#, #"{"goto": {}}"#,
    #"{"vmap": {"key": \#(source), "data": {"set": []}}}"#, #"{"jump": {}}"#,
    #"{"accept": null}, {"drop": null}"#, #"{"accept": null, "drop": null}"#, "7", "null", #"{"xt": null}"#,
    #"{"mangle": {"key": \#(source), "value": 1}}"#, #"{"mangle": {"key": \#(mark), "value": {"<<": [\#(mark), 1]}}}"#,
    #"{"mangle": {"key": \#(mark), "value": {"|": [\#(mark), \#(mark)]}}}"#,
    #"{"mangle": {"key": \#(mark), "value": {"|": []}}}"#,
  ]

  @Test("rules that RuleIR can't express are errors that name the rule, or foreign", arguments: bad.indices)
  func refused(index: Int) throws {
    let text = Self.bad[index]
    let error = #expect(throws: DumpError.self) { try readNftJSON(listing(text), file: "dump.json") }
    #expect(error?.line == 1)
    let name = "rule 2 (handle 17) of chain C in table ip kube-router-filter-x: expression "
    #expect(error?.problem.hasPrefix(name) == true, "\(error?.problem ?? "")")
    #expect(error?.text.hasPrefix(#"{"rule": {"family": "ip", "#) == true)
    let lines = #expect(throws: DumpError.self) { try readNftJSON(listing(text, separator: "\n"), file: "f") }
    #expect(lines?.line == 5)
    let foreign = try readNftJSON(listing(text, table: "filter"), file: "f").foreign
    #expect(foreign.map(\.identity) == ["rule ip filter C  1 1"])
    #expect(foreign.first?.text.contains(text) == true)
  }

  static let broken = [
    "", "{", "{}", "[]", "null", #"{"nftables": }"#, #"{"nftables": [}"#, #"{"nftables": []"#, #"{"nftables": []} x"#,
    #"{"nftables": [{}]}"#, #"{"nftables": [7]}"#, #"{"nftables": [{"table": {}}]}"#,
    #"{"nftables": [{"metainfo": tru}]}"#,
    #"{"nftables": [{"table": {"family": "ip"}}]}"#,
    #"{"nftables": [{"table": {"family": "ip", "name": "t", "name": "u"}}]}"#,
    #"{"nftables": [{"table": {"family": "ip", "name": "t"}}, {"table": {"family": "ip", "name": "t"}}]}"#,
    #"{"nftables": [{"chain": {"family": "ip", "table": "t", "name": "C"}}]}"#,
    #"{"nftables": [{"table": {"family": "ip", "name": "t"}},"#
      + #"{"rule": {"family": "ip", "table": "t", "chain": "C"}}]}"#,
    #"{"nftables": [{"table": {"family": "ip", "name": "\ud800"}}]}"#,
    #"{"nftables": [{"table": {"family": "ip", "name": "\x"}}]}"#,
    #"{"nftables": [{"table": {"family": "ip", "name": "t}}]}"#, "{\"nftables\": [{\"a\": \"\u{1}\"}]}",
    #"{"nftables": [{"a": \#(String(repeating: "[", count: 100_000))"#,
    #"{"nftables": [\#(String(repeating: #"{"a":"#, count: 100_000))"#,
  ]

  @Test("broken listings are errors, whoever wrote them", arguments: broken.indices) func refusedListing(index: Int) {
    let error = #expect(throws: DumpError.self) { try readNftJSON(Self.broken[index], file: "f") { _ in false } }
    #expect(error?.description.utf8.count ?? 0 < 600)
    #expect(error?.line == 1)
  }

  @Test("a chain that appears twice is an error") func twice() {
    let chain = #"{"chain": {"family": "ip", "table": "t", "name": "C"}}"#
    let text = "{\"nftables\": [{\"table\": {\"family\": \"ip\", \"name\": \"t\"}},\n\(chain),\n\(chain)]}"
    let error = #expect(throws: DumpError.self) { try readNftJSON(text, file: "f") }
    #expect(error?.description == "f:3: chain C appears twice: \(chain)")
  }

  /// A listing with a chain that has one rule with a comment.
  private func commented(_ comment: String) -> String {
    let place = #""family": "ip", "table": "t""#
    return """
      {"nftables": [{"table": {"family": "ip", "name": "t"}}, {"chain": {\(place), "name": "C"}},
      {"rule": {\(place), "chain": "C", "comment": "\(comment)", "expr": []}}]}
      """
  }

  @Test(
    "JSON strings keep their value",
    arguments: [
      (#"\ud83d\ude00 \u00e9\/\t"#, "😀 é/\t"), (#"\\ud83d\\ude00"#, #"\ud83d\ude00"#), (#"\u0000"#, "\u{0}"),
      ("a \u{2028} b\u{85}\u{7f}\u{feff}", "a \u{2028} b\u{85}\u{7f}\u{feff}"), ("80", "80"), ("null", "null"),
      ("~", "~"),
      (" # *a &a !b ", " # *a &a !b "),
    ])
  func strings(json: String, text: String) throws {
    let rules = try readNftJSON(commented(json), file: "f").tables.first?.chains.first?.rules
    #expect(rules?.map(\.comment) == [text])
  }

  @Test("a line separator in a string is not the end of a line") func lineSeparator() {
    let text = commented("\u{2028}").dropLast(2) + "\r\n, 7]}"
    let error = #expect(throws: DumpError.self) { try readNftJSON(String(text), file: "f") }
    #expect(error?.description == "f:3: not an object of nft: , 7]}")
  }

  @Test(
    "listings that aren't JSON are errors with their line",
    arguments: [
      (
        "{\"nftables\": [\n{\"table\": {\"family\": \"ip\",\n\"name\": \"t\", \"name\": \"u\"}}]}", 3,
        "name appears twice"
      ),
      ("{\"nftables\": [\n{\"metainfo\": {}},\n", 3, "the text ends inside a value"),
      ("{\"nftables\": [\n{\"metainfo\": {\"version", 2, "a quote is not closed"),
      ("{\"nftables\": [\n{\"metainfo\": {}}\n]}\n{", 4, "there is more text after the end"),
      ("{\"nftables\": [\n{\"metainfo\": {}}\n]}\n...\n", 4, "there is more text after the end"),
      ("{\"nftables\": [\n{\"metainfo\": {}},\n]}", 3, "a value is missing"),
      ("{\"nftables\": [\n{\"metainfo\": }]}", 2, "a value is missing"),
      ("{\"nftables\": [\n{\"metainfo\"}]}", 2, "a value is missing"),
      ("{\"nftables\": [\n{\"metainfo\": yes}]}", 2, "yes is not JSON"),
      ("{\"nftables\": [\n{\"metainfo\": 1 2}]}", 2, "1 2 is not JSON"),
      ("{\"nftables\": [\n{metainfo: {}}]}", 2, "a name is missing"),
      ("{\"nftables\": [\n{\"metainfo\": {}} {}]}", 2, "not JSON: did not find expected ',' or ']'"),
      ("{\"nftables\": [\n{\"metainfo\": {}]]}", 2, "not JSON: did not find expected ',' or '}'"),
      ("{\"nftables\": [\n\"metainfo\": {}]}", 2, "a pair outside of an object"),
      ("{\"nftables\": [\n{\"a\": \"\\ud83d \"}]}", 2, "not JSON: found invalid Unicode character escape code"),
      ("{\"nftables\": [\n{\"a\": \"\\u12g4\"}]}", 2, "not JSON: did not find expected hexdecimal number"),
      ("{\"nftables\": [\n{\"metainfo\": &a {}}, *a]}", 2, "a character that JSON does not have here"),
      ("{\"nftables\": [\n{\"metainfo\": {}}, # a comment\n]}", 2, "a character that JSON does not have here"),
      ("nftables:\n- metainfo: {}\n", 1, "neither an object nor an array"),
      ("{\"nftables\": {\n\"metainfo\": {}}}", 1, "not what nft -j prints"),
      ("{\"nftables\": [], \"more\": []}", 1, "not what nft -j prints"),
    ])
  func notJSON(text: String, line: Int, problem: String) throws {
    let error = try #require(throws: DumpError.self) { try readNftJSON(text, file: "f") }
    #expect(error.description.hasPrefix("f:\(line): \(problem): "))
    let start = error.text.split(separator: "\n").first ?? ""
    #expect(start.isEmpty || text.split(separator: "\n", omittingEmptySubsequences: false)[line - 1].contains(start))
  }

  @Test("the names of chains and sets in a listing") func names() throws {
    let names = try NftObjectNames(
      try #require(NftFixture("nft-json/dual-stack-ipblock-except.json")).text, file: "nft")
    let read = try readNftJSON(
      try #require(NftFixture("nft-json/dual-stack-ipblock-except.json")).text, file: "nft")
    #expect(names.chains == read.tables.flatMap(\.chains).map(\.name))
    #expect(names.sets == read.sets.map(\.name))
    #expect(!names.chains.isEmpty && !names.sets.isEmpty)
    let error = #expect(throws: DumpError.self) { try NftObjectNames("{\"nftables\": [}", file: "nft") }
    #expect(error?.line == 1)
  }

  @Test("sets of newer versions are read: single flags, typeof, comments of tables and chains") func newer() throws {
    let type = #"{"typeof": {"payload": {"protocol": "ip", "field": "daddr"}}}"#
    let text = """
      {"nftables": [{"table": {"family": "ip", "name": "kube-router-filter-x", "comment": "t"}},
      {"chain": {"family": "ip", "table": "kube-router-filter-x", "name": "C", "comment": "c"}},
      {"set": {"family": "ip", "table": "kube-router-filter-x", "name": "S", "type": \(type), "flags": "interval",
      "auto-merge": true, "elem": [{"elem": {"val": {"prefix": {"addr": "10.0.0.0", "len": 8}}, "counter": {}}}]}}]}
      """
    let read = try readNftJSON(text, file: "f")
    #expect(
      read.tables == [
        Table(name: "kube-router-filter-x", family: .v4, chains: [Chain(name: "C", comment: "c")], comment: "t")
      ])
    #expect(
      read.sets == [
        NamedSet(
          name: "S", family: .v4, kind: .interval, members: [.init(CIDR(IPAddress(v4: 0x0a00_0000), prefixLength: 8))])
      ])
  }
}
