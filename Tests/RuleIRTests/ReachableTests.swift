// Not covered: that verdicts stay the same (EnforcedClusterTests run both in the evaluator).
import NetpolModel
import RuleIR
import Testing

@Suite("Rules that a packet can meet") struct ReachableTests {
  private static let base = Chain(
    name: "base", base: .init(.forward), rules: [Rule([.inSet(.source, "used")], [.jump("a")])])
  private static let sets = ["used", "far", "unused"].map { NamedSet(name: $0, family: .v4, kind: .addresses) }

  private static func ruleset(_ chains: [Chain], family: IPFamily = .v4, keyed: [KeyedSet] = []) -> Ruleset {
    Ruleset(tables: [Table(name: "filter", family: family, chains: chains)], sets: sets, keyedSets: keyed)
  }

  @Test("Chains and sets remain to which jumps lead from a base chain")
  func jumps() {
    let part = Self.ruleset([
      Self.base, Chain(name: "a", rules: [Rule([.inSet(.destination, "far")], [.goto("b")])]),
      Chain(name: "b", rules: [Rule([], [.drop])]),
      Chain(name: "c", rules: [Rule([.inSet(.source, "unused")], [.jump("b")])]),
    ]).reachable
    #expect(part.tables[0].chains.map(\.name) == ["base", "a", "b"])
    #expect(part.sets.map(\.name) == ["used", "far"])
  }

  @Test("Chains remain that a verdict map or a random choice names")
  func maps() {
    let map = KeyedSet(
      name: "map", family: .v4, fields: [.mark], content: .verdicts, elements: [.init([1], .verdict(.goto("c")))])
    let chains = [
      Chain(name: "base", base: .init(.forward), rules: [Rule([], [.gotoRandomly(["a", "b"])])]),
      Chain(name: "a", rules: [Rule([], [.verdictFrom([.mark], map: "map")])]), Chain(name: "b"), Chain(name: "c"),
      Chain(name: "d", rules: [Rule([], [.verdictFrom([.mark], map: "other")])]),
    ]
    let part = Self.ruleset(
      chains, keyed: [map, KeyedSet(name: "other", family: .v4, fields: [.mark], content: .verdicts)]
    )
    .reachable
    #expect(part.tables[0].chains.map(\.name) == ["base", "a", "b", "c"])
    #expect(part.keyedSets.map(\.name) == ["map"])
    #expect(part.sets.isEmpty)
  }

  @Test("A set of the other family with the same name doesn't remain")
  func families() {
    let part = Self.ruleset([Self.base, Chain(name: "a")], family: .v6).reachable
    #expect(part.sets.isEmpty)
  }
}
