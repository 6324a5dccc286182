// Not covered: whether nft reads the text and lists it like this (ApplyTests load it).
import NetpolModel
import Rendering
import RuleIR
import Testing

@Suite("Keyed sets") struct KeyedSetTests {
  static func set(
    _ name: String = "s", _ family: IPFamily = .v4, _ fields: [KeyedSet.Field] = [.mark, .port], ranges: Bool = false,
    map: Bool = false, size: Int? = nil, elements: [KeyedSet.Element] = []
  ) -> KeyedSet {
    KeyedSet(
      name: name, family: family, fields: fields, hasRanges: ranges, content: map ? .marks : .keys, size: size,
      elements: elements)
  }

  static func ruleset(_ sets: [KeyedSet], _ rules: [Rule] = []) -> Ruleset {
    let table = Table(name: "t", family: .v4, chains: [Chain(name: "c", rules: rules)])
    return Ruleset(backend: .nftables, tables: [table], keyedSets: sets)
  }

  static func verdicts(_ verdict: KeyedSet.Verdict) -> KeyedSet {
    KeyedSet(
      name: "s", family: .v4, fields: [.mark, .port], content: .verdicts,
      elements: [.init([1, 1], .verdict(verdict))])
  }

  static let judged = Rule([], [.verdictFrom([.mark, .port], map: "s")])
  static let asked = Rule([.keyed([.mark, .port], in: "s")], [.accept])
  static let mapped = Rule([], [.setMarkFrom([.mark, .port], map: "s")])
  static let defects: [(Ruleset, IllFormed.Defect)] = [
    (ruleset([], [asked]), .unknownSet("s")), (ruleset([set("s", .v6)], [asked]), .unknownSet("s")),
    (ruleset([set(map: true)], [asked]), .wrongKey("s")), (ruleset([set()], [mapped]), .wrongKey("s")),
    (ruleset([set("s", .v4, [.port, .mark])], [asked]), .wrongKey("s")),
    (ruleset([set(), set()]), .duplicateSet("s")),
    (ruleset([set(elements: [.init([1])])]), .badElement("s")),
    (ruleset([set(elements: [.init([1, 65536])])]), .badElement("s")),
    (ruleset([set(elements: [.init([1, 1], mark: 1)])]), .badElement("s")),
    (ruleset([set(map: true, elements: [.init([1, 1])])]), .badElement("s")),
    (ruleset([set(elements: [.init([1, 1], through: 1)])]), .badElement("s")),
    (ruleset([set(ranges: true, elements: [.init([1, 1])])]), .badElement("s")),
    (ruleset([set(ranges: true, elements: [.init([1, 2], through: 1)])]), .badElement("s")),
    (ruleset([set(ranges: true, elements: [.init([1, 2], through: 65536)])]), .badElement("s")),
    (ruleset([set(elements: [.init([1, 1]), .init([1, 1])])]), .overlappingElements("s")),
    (ruleset([set(map: true, elements: [.init([1, 1], .verdict(.drop))])]), .badElement("s")),
    (ruleset([verdicts(.drop)], [mapped]), .wrongKey("s")), (ruleset([set(map: true)], [judged]), .wrongKey("s")),
    (ruleset([verdicts(.goto("none"))], [judged]), .unknownChain("none")),
    (ruleset([verdicts(.goto("c"))], [judged]), .jumpCycle(through: "c")),
    (
      ruleset([set(ranges: true, elements: [.init([1, 5], through: 9), .init([1, 1], through: 5)])]),
      .overlappingElements("s")
    ),
    (ruleset([set(size: 1, elements: [.init([1, 1]), .init([1, 2])])]), .tooManyElements("s")),
  ]

  @Test("finds each defect of keyed sets", arguments: defects.indices) func defect(index: Int) {
    let (ruleset, defect) = Self.defects[index]
    #expect(throws: IllFormed(defect: defect)) { try ruleset.checkWellFormed() }
    #expect(!IllFormed(defect: defect).description.isEmpty)
  }

  @Test("ranges that touch or differ in other fields are not a defect")
  func borders() throws {
    let elements: [KeyedSet.Element] = [
      .init([1, 0], through: 4), .init([1, 5], through: 65535), .init([2, 0], through: 65535),
    ]
    try Self.ruleset([Self.set(ranges: true, size: 3, elements: elements)], [Self.asked]).checkWellFormed()
  }

  @Test("writes sets and maps as nft lists them, sorted by key")
  func text() throws {
    let sets = [
      Self.set(
        "g", .v4, [.address], map: true, size: 64,
        elements: [.init([0x0a00_0002], mark: 7), .init([0x0a00_0001], mark: 0x10)]),
      Self.set("e", .v4, [.mark, .address, .transport, .port], elements: [.init([1, 0x0a00_0001, 132, 80])]),
      Self.set(
        "b", .v4, [.mark, .address], ranges: true, map: true,
        elements: [
          .init([1, 0x0a00_0000], through: 0x0aff_ffff, mark: 1),
          .init([1, 0x0b00_0001], through: 0x0b00_0001, mark: 2),
          .init([2, 0], through: 0xffff_ffff, mark: 3), .init([3, 1], through: 2, mark: 3),
        ]),
      Self.set(
        "r", .v4, [.mark, .transport, .port], ranges: true,
        elements: [.init([1, 6, 80], through: 90), .init([1, 17, 53], through: 53)]),
    ]
    let rules = [
      Rule([], [.setMarkFrom([.address(.source)], map: "g"), .jump("d")]),
      Rule(
        [.keyed([.mark, .address(.destination), .transport, .port], in: "e")], [.setMark(Mark(0, mask: .max)), .return]),
      Rule([.mark(Mark(1, mask: .max))], [.return]),
    ]
    let table = Table(name: "t", family: .v4, chains: [Chain(name: "c", rules: rules)])
    #expect(
      try nftText(Ruleset(backend: .nftables, tables: [table], keyedSets: sets))
        == """
        table ip t {
        \tmap g {
        \t\ttype ipv4_addr : mark
        \t\tsize 64
        \t\telements = { 10.0.0.1 : 0x00000010, 10.0.0.2 : 0x00000007 }
        \t}

        \tset e {
        \t\ttype mark . ipv4_addr . inet_proto . inet_service
        \t\telements = { 0x00000001 . 10.0.0.1 . sctp . 80 }
        \t}

        \tmap b {
        \t\ttype mark . ipv4_addr : mark
        \t\tflags interval
        \t\telements = { 0x00000001 . 10.0.0.0/8 : 0x00000001, 0x00000001 . 11.0.0.1 : 0x00000002, \
        0x00000002 . 0.0.0.0/0 : 0x00000003, 0x00000003 . 0.0.0.1-0.0.0.2 : 0x00000003 }
        \t}

        \tset r {
        \t\ttype mark . inet_proto . inet_service
        \t\tflags interval
        \t\telements = { 0x00000001 . tcp . 80-90, 0x00000001 . udp . 53 }
        \t}

        \tchain c {
        \t\tmeta mark set ip saddr map @g jump d
        \t\tmeta mark . ip daddr . meta l4proto . th dport @e meta mark set 0x00000000 return
        \t\tmeta mark 0x00000001 return
        \t}
        }

        """)
  }

  @Test("iptables has no keyed sets")
  func iptables() {
    for rule in [Self.asked, Self.mapped] {
      #expect(throws: Unsupported.self) { try iptablesRuleText(rule, .v4) }
    }
  }
}
