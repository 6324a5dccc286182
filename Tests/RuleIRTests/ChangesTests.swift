// What this does not show: that a kernel takes the changes (LabTests send them).
import NetpolModel
import RuleIR
import Testing

@Suite("Changes between rulesets") struct ChangesTests {
  private static func host(_ last: UInt32) -> NamedSet.Member { .init(CIDR(IPAddress(v4: last))) }

  private static func ruleset(
    members: [UInt32] = [], _ elements: [KeyedSet.Element] = [], size: Int? = 8, family: IPFamily = .v4,
    rules: [Rule] = [], kind: NamedSet.Kind = .addresses
  ) -> Ruleset {
    Ruleset(
      backend: .nftables,
      tables: [Table(name: "t", family: family, chains: [Chain(name: "c", base: .init(.forward), rules: rules)])],
      sets: family == .v4 ? [NamedSet(name: "m", family: .v4, kind: kind, members: members.map(host))] : [],
      keyedSets: [
        KeyedSet(name: "k", family: family, fields: [.mark, .port], isMap: true, size: size, elements: elements)
      ])
  }

  private static func element(_ port: UInt128, _ mark: UInt32 = 1) -> KeyedSet.Element { .init([1, port], mark: mark) }

  private static func joined(_ a: Ruleset, _ b: Ruleset) -> Ruleset {
    Ruleset(
      backend: a.backend, tables: a.tables + b.tables, sets: a.sets + b.sets, keyedSets: a.keyedSets + b.keyedSets)
  }

  private static let rulesets: [Ruleset] = [
    Ruleset(backend: .nftables), Ruleset(), ruleset(), ruleset(members: [1, 2], [element(1), element(2)]),
    ruleset(members: [2, 3, 2], [element(2, 7), element(3)]), ruleset(rules: [Rule([], [.drop])]),
    ruleset([element(1)], family: .v6), joined(ruleset(members: [9]), ruleset([element(4)], family: .v6)),
    joined(ruleset(members: [8]), ruleset([element(5)], family: .v6)), ruleset(members: [1], kind: .interval),
    ruleset(members: [2], kind: .interval), ruleset((1...8).map { element($0) }),
    ruleset((1...9).map { element($0) }, size: 16), ruleset((1...3).map { element($0) }, size: 4),
  ]

  /// What rules and sets mean, whatever room is left in them and in whatever order they stand.
  private static func meaning(_ ruleset: Ruleset) -> Ruleset {
    var meaning = ruleset
    meaning.tables.sort { ($0.family, $0.name) < ($1.family, $1.name) }
    meaning.sets.sort { ($0.family, $0.name) < ($1.family, $1.name) }
    meaning.keyedSets.sort { ($0.family, $0.name) < ($1.family, $1.name) }
    for index in meaning.sets.indices { meaning.sets[index].members = meaning.sets[index].stored }
    for index in meaning.keyedSets.indices {
      meaning.keyedSets[index].size = nil
      meaning.keyedSets[index].elements.sort(by: KeyedSet.Element.precedes)
    }
    return meaning
  }

  @Test("applying the changes to any ruleset gives the target, and what is well formed stays so")
  func law() throws {
    for old in Self.rulesets {
      for new in Self.rulesets {
        let result = old.applying(old.changes(to: new))
        #expect(Self.meaning(result) == Self.meaning(new))
        try result.checkWellFormed()
        #expect(old.changes(to: new).isEmpty == (Self.meaning(old) == Self.meaning(new)) || old.backend != new.backend)
      }
    }
  }

  @Test("only elements change where only they differ, and only those that do")
  func elements() {
    let changes = Self.rulesets[3].changes(to: Self.rulesets[4])
    #expect(changes.replaced.isEmpty && changes.gone.isEmpty && changes.fresh.tables.isEmpty)
    #expect(changes.members.map(\.removed) == [[Self.host(1)]] && changes.members.map(\.added) == [[Self.host(3)]])
    #expect(changes.elements.map(\.removed) == [[Self.element(1), Self.element(2)]])
    #expect(changes.elements.map(\.added) == [[Self.element(2, 7), Self.element(3)]])
  }

  @Test("other rules replace their family, and leave the other alone")
  func chains() {
    let old = Self.joined(Self.ruleset(), Self.ruleset([Self.element(1)], family: .v6))
    let new = Self.joined(Self.ruleset(rules: [Rule([], [.drop])]), Self.ruleset([Self.element(2)], family: .v6))
    let changes = old.changes(to: new)
    #expect(changes.replaced == [.v4] && changes.gone == [RulesetChanges.TableName(name: "t", family: .v4)])
    #expect(changes.elements.map(\.family) == [.v6])
  }

  @Test("a set that the new elements don't fit into, and one of ranges, is replaced with its table")
  func rebuilt() {
    let full = Self.ruleset((1...8).map { Self.element($0) })
    #expect(full.changes(to: Self.ruleset((1...9).map { Self.element($0) }, size: 16)).replaced == [.v4])
    #expect(full.changes(to: Self.ruleset((1...3).map { Self.element($0) }, size: 4)).replaced.isEmpty)
    let ranges = Self.ruleset(members: [1], kind: .interval)
    #expect(ranges.changes(to: Self.ruleset(members: [2], kind: .interval)).replaced == [.v4])
    #expect(ranges.changes(to: ranges).isEmpty)
  }
}
