import Dumps
import NetpolModel
import Rendering
import RuleIR
import Testing

@Suite("Sets and maps of concatenated fields in nft listings") struct NftKeyedSetTests {
  private static let address = UInt128(0x0a2a_0002)

  static let sets = [
    KeyedSet(
      name: "eg", family: .v4, fields: [.address], content: .marks, size: 8,
      elements: [.init([address], mark: 0x811c_9dc4)]
    ),
    KeyedSet(
      name: "eb", family: .v4, fields: [.mark, .address], hasRanges: true, content: .marks, size: 8,
      elements: [
        .init([5, 0x0a00_0000], through: 0x0aff_ffff, mark: 9),
        .init([5, 0x0b00_0001], through: 0x0b00_0007, mark: 11),
        .init([7, 0], through: 0xffff_ffff, mark: 2),
      ]),
    KeyedSet(
      name: "ea", family: .v4, fields: [.mark, .address, .transport, .port], size: 9,
      elements: [.init([5, address, 6, 80]), .init([5, address, 132, 53])]),
    KeyedSet(
      name: "v", family: .v4, fields: [.address, .transport, .port], content: .verdicts,
      elements: [
        .init([address, 6, 80], .verdict(.goto("service-A/b"))),
        .init([address, 17, 53], .verdict(.drop), comment: "app/web:dns"),
      ], comment: "what is not there"),
    KeyedSet(
      name: "r", family: .v4, fields: [.mark, .transport, .port], hasRanges: true,
      elements: [.init([5, 6, 80], through: 90), .init([7, 17, 80], through: 80)]),
  ]

  static let rules = [
    Rule([], [.setMarkFrom([.address(.source)], map: "eg"), .jump("d")]),
    Rule([], [.setMarkFrom([.mark, .address(.destination)], map: "eb")]),
    Rule([.keyed([.mark, .address(.source), .transport, .port], in: "ea")], [.return]),
    Rule(
      [.mark(Mark(1, mask: 1)), .keyed([.mark, .transport, .port], in: "r")],
      [.setMark(Mark(0, mask: .max)), .return]),
    Rule([], [.verdictFrom([.address(.destination), .transport, .port], map: "v")]),
  ]

  @Test("printed text is read back to the same value")
  func text() throws {
    let ruleset = Ruleset(
      backend: .nftables,
      tables: [Table(name: "t", family: .v4, chains: [Chain(name: "c", rules: Self.rules), Chain(name: "d")])],
      keyedSets: Self.sets)
    let read = try readNftList(try nftText(ruleset), file: "f", required: { _ in true })
    #expect(read == NftDump(tables: ruleset.tables, keyedSets: ruleset.keyedSets))
  }

  @Test("JSON is read to the same value")
  func json() throws {
    let text = """
      {"nftables": [{"table": {"family": "ip", "name": "t"}},
      {"map": {"family": "ip", "name": "eb", "table": "t", "type": ["mark", "ipv4_addr"], "map": "mark", "size": 8,
        "flags": ["interval"], "elem": [[{"concat": [5, {"prefix": {"addr": "10.0.0.0", "len": 8}}]}, 9],
        [{"concat": [5, {"range": ["11.0.0.1", "11.0.0.7"]}]}, 11],
        [{"concat": [7, {"prefix": {"addr": "0.0.0.0", "len": 0}}]}, 2]]}},
      {"set": {"family": "ip", "name": "ea", "table": "t", "type": ["mark", "ipv4_addr", "inet_proto", "inet_service"],
        "size": 9, "elem": [{"concat": [5, "10.42.0.2", "tcp", 80]}, {"concat": [5, "10.42.0.2", "sctp", 53]}]}},
      {"chain": {"family": "ip", "table": "t", "name": "c"}},
      {"rule": {"family": "ip", "table": "t", "chain": "c", "expr": [{"mangle": {"key": {"meta": {"key": "mark"}},
        "value": {"map": {"key": {"concat": [{"meta": {"key": "mark"}}, {"payload": {"protocol": "ip",
        "field": "daddr"}}]}, "data": "@eb"}}}}]}},
      {"rule": {"family": "ip", "table": "t", "chain": "c", "expr": [{"match": {"op": "==", "left": {"concat": [
        {"meta": {"key": "mark"}}, {"payload": {"protocol": "ip", "field": "saddr"}}, {"meta": {"key": "l4proto"}},
        {"payload": {"protocol": "th", "field": "dport"}}]}, "right": "@ea"}}, {"return": null}]}}]}
      """
    let read = try readNftJSON(text, file: "f", required: { _ in true })
    #expect(read.keyedSets == Array(Self.sets[1...2]))
    #expect(read.tables.flatMap(\.chains).flatMap(\.rules) == Array(Self.rules[1...2]))
  }

  @Test(
    "sets and maps that are not supported are refused",
    arguments: [
      "map m { type ipv4_addr : inet_service }", "set s { type mark . ether_addr }",
      "set s { type mark . inet_service elements = { 5 } }",
      "set s { type mark . inet_service elements = { 5 . 80-90 } }",
      "map m { type mark . inet_service : mark elements = { 5 . 80 } }",
      "set s { type mark . inet_service elements = { 5 . 65536 } }",
    ])
  func refused(set: String) {
    let lines = set.replacing("{ type", with: "{\ntype").replacing(" elements", with: "\nelements")
    #expect(throws: DumpError.self) {
      try readNftList("table ip t {\n\(lines.dropLast())\n}\n}\n", file: "f", required: { _ in true })
    }
  }
}
