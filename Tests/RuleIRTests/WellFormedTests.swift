// Not covered: whether a kernel accepts every well-formed ruleset.
import NetpolModel
import RuleIR
import Testing

@Suite("Well-formed rulesets") struct WellFormedTests {
  private static func ruleset(_ rules: [Rule], _ chains: [Chain] = [], sets: [NamedSet] = []) -> Ruleset {
    let input = Chain(name: "INPUT", base: .init(.input), rules: rules)
    return Ruleset(tables: [Table(name: "filter", family: .v4, chains: [input] + chains)], sets: sets)
  }

  private static func set(_ name: String, _ family: IPFamily = .v4, _ members: [NamedSet.Member] = []) -> NamedSet {
    NamedSet(name: name, family: family, kind: .addresses, members: members)
  }

  static let long = String(repeating: "s", count: 32)
  static let network = CIDR(IPAddress(v4: 0x0a00_0000), prefixLength: 8)
  static let defects: [(Ruleset, IllFormed.Defect)] = [
    (ruleset([Rule([], [.jump("none")])]), .unknownChain("none")),
    (ruleset([Rule([.inSet(.source, "none")], [.drop])]), .unknownSet("none")),
    (
      ruleset([Rule([], [.jump("A")])], [Chain(name: "A", rules: [Rule([], [.jump("A")])])]), .jumpCycle(through: "A")
    ),
    (ruleset([], [Chain(name: String(long.prefix(29)))]), .chainNameTooLong(String(long.prefix(29)))),
    (ruleset([], sets: [set(long)]), .setNameTooLong(long)),
    (ruleset([], [Chain(name: "A"), Chain(name: "A")]), .duplicateChain("A")),
    (ruleset([Rule([.inSet(.source, "s")], [.drop])], sets: [set("s", .v6)]), .wrongFamily("s")),
    (
      ruleset([], sets: [set("s", .v6, [.init(CIDR(IPAddress(v4: 1)))])]),
      .memberOfWrongFamily("s", CIDR(IPAddress(v4: 1)))
    ),
    (ruleset([], sets: [set("s", .v4, [.init(network)])]), .networkInAddressSet("s", network)),
  ]

  @Test("finds each defect of rulesets", arguments: defects.indices) func defect(index: Int) {
    let (ruleset, defect) = Self.defects[index]
    #expect(throws: IllFormed(defect: defect)) { try ruleset.checkWellFormed() }
    #expect(!IllFormed(defect: defect).description.isEmpty)
  }

  @Test("names of the maximum length, chains reached twice and unused sets are not defects")
  func borders() throws {
    let chains = [
      Chain(name: String(Self.long.prefix(28)), rules: [Rule([], [.jump("B")])]), Chain(name: "B"),
      Chain(name: "C", rules: [Rule([], [.jump("B")])]),
    ]
    let rules = [Rule([], [.jump("C")]), Rule([], [.jump(String(Self.long.prefix(28)))])]
    try Self.ruleset(rules, chains, sets: [Self.set(String(Self.long.prefix(31)))]).checkWellFormed()
  }
}
