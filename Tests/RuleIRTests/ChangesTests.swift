// Not covered: whether a kernel accepts the changes (ApplyTests send them).
import Lowering
import NetpolModel
import RuleIR
import Testing
import Worlds

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
        KeyedSet(name: "k", family: family, fields: [.mark, .port], content: .marks, size: size, elements: elements)
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

  /// The meaning of rules and sets, without the room left in sets and without order.
  private static func meaning(_ ruleset: Ruleset) -> Ruleset {
    var meaning = ruleset
    meaning.tables.sort { ($0.family, $0.name) < ($1.family, $1.name) }
    meaning.sets.sort { ($0.family, $0.name) < ($1.family, $1.name) }
    meaning.keyedSets.sort { ($0.family, $0.name) < ($1.family, $1.name) }
    for index in meaning.tables.indices { meaning.tables[index].chains.sort { $0.name < $1.name } }
    for index in meaning.sets.indices { meaning.sets[index].members = meaning.sets[index].stored }
    for index in meaning.keyedSets.indices {
      meaning.keyedSets[index].size = nil
      meaning.keyedSets[index].elements.sort(by: KeyedSet.Element.precedes)
    }
    return meaning
  }

  @Test("applying the changes to any ruleset gives the target, and well-formed rulesets stay well-formed")
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

  @Test("if only elements differ, only those elements change")
  func elements() {
    let changes = Self.rulesets[3].changes(to: Self.rulesets[4])
    #expect(changes.replaced.isEmpty && changes.gone.isEmpty && changes.fresh.tables.isEmpty)
    #expect(changes.members.map(\.removed) == [[Self.host(1)]] && changes.members.map(\.added) == [[Self.host(3)]])
    #expect(changes.elements.map(\.removed) == [[Self.element(1), Self.element(2)]])
    #expect(changes.elements.map(\.added) == [[Self.element(2, 7), Self.element(3)]])
  }

  @Test("changed rules rewrite only their chain, and a new chain is added on its own")
  func chains() throws {
    let old = Self.joined(Self.ruleset(members: [1]), Self.ruleset([Self.element(1)], family: .v6))
    var new = Self.joined(
      Self.ruleset(members: [1], rules: [Rule([], [.jump("d")])]), Self.ruleset([Self.element(2)], family: .v6))
    new.tables[0].chains.append(Chain(name: "d", rules: [Rule([], [.drop])]))
    let changes = old.changes(to: new)
    #expect(changes.replaced.isEmpty && changes.gone.isEmpty && changes.fresh.tables.isEmpty)
    let chains = try #require(changes.chains.first)
    #expect(changes.chains.count == 1 && chains.table == RulesetChanges.TableName(name: "t", family: .v4))
    #expect(chains.rewritten.map(\.name) == ["c"] && chains.fresh.map(\.name) == ["d"] && chains.gone.isEmpty)
    #expect(new.changes(to: old).chains.map(\.gone) == [["d"]])
    #expect(changes.elements.map(\.place.family) == [.v6] && changes.members.isEmpty && changes.goneSets.isEmpty)
  }

  @Test("a chain that jumps to a recreated chain is rewritten, even if its rules are unchanged")
  func jumps() {
    func table(_ comment: String, hook: Hook = .forward) -> Ruleset {
      Ruleset(
        backend: .nftables,
        tables: [
          Table(
            name: "t", family: .v4,
            chains: [
              Chain(name: "a", base: .init(hook), rules: [Rule([], [.jump("b")])]), Chain(name: "b", comment: comment),
              Chain(name: "c", rules: [Rule([], [.accept])]),
            ])
        ])
    }
    let changes = table("one").changes(to: table("two"))
    #expect(changes.chains.map(\.gone) == [["b"]] && changes.chains.map { $0.fresh.map(\.name) } == [["b"]])
    #expect(changes.chains.map { $0.rewritten.map(\.name) } == [["a"]])
    let moved = table("one").changes(to: table("one", hook: .input))
    #expect(moved.chains.map(\.gone) == [["a"]] && moved.chains.map { $0.fresh.map(\.name) } == [["a"]])
  }

  @Test("a different table or table comment replaces the whole family")
  func tables() {
    let old = Self.joined(Self.ruleset(), Self.ruleset([Self.element(1)], family: .v6))
    var new = old
    new.tables[0].comment = "other"
    let changes = old.changes(to: new)
    #expect(changes.replaced == [.v4] && changes.gone == [RulesetChanges.TableName(name: "t", family: .v4)])
    #expect(changes.chains.isEmpty && changes.elements.isEmpty)
  }

  @Test(
    "a set that is too small or of another type is replaced, together with the rules that use it")
  func rebuilt() {
    let asking = [Rule([.inSet(.source, "m")], [.setMarkFrom([.mark, .port], map: "k")])]
    let full = Self.ruleset((1...8).map { Self.element($0) }, rules: asking)
    let wider = full.changes(to: Self.ruleset((1...9).map { Self.element($0) }, size: 16, rules: asking))
    #expect(wider.replaced.isEmpty && wider.goneSets == [SetPlace(set: "k", family: .v4)])
    #expect(wider.fresh.keyedSets.map(\.size) == [16] && wider.chains.flatMap(\.rewritten).map(\.name) == ["c"])
    #expect(full.changes(to: Self.ruleset((1...3).map { Self.element($0) }, size: 4, rules: asking)).goneSets.isEmpty)
    let typed = full.changes(to: Self.ruleset((1...8).map { Self.element($0) }, rules: asking, kind: .interval))
    #expect(typed.goneSets == [SetPlace(set: "m", family: .v4)] && typed.elements.isEmpty)
  }

  @Test("differences don't depend on the order of elements")
  func order() {
    let (a, b) = (Self.ruleset((1...6).map { Self.element($0) }), Self.ruleset([5, 9, 2, 3].map { Self.element($0) }))
    let changes = a.changes(to: b)
    #expect(Set(changes.elements.flatMap(\.removed)) == Set([1, 4, 6].map { Self.element($0) }))
    #expect(changes.elements.flatMap(\.added) == [Self.element(9)])
  }

  @Test("applying the changes gives the target for random worlds, in every style", arguments: 0..<6 as Range<UInt64>)
  func worlds(_ place: UInt64) throws {
    // The same places with different policies, and different places.
    let seeds = (0..<3).map { place * World.seedsOnOnePlace + $0 } + [place * World.seedsOnOnePlace + 1000]
    for style in EnforcementStyle.all {
      let rulesets = seeds.flatMap { seed in
        let cluster = World(seed: seed).cluster
        return cluster.nodes.prefix(1).map { style.lower(NodeView(of: $0, in: cluster)).ruleset }
      }
      for old in rulesets {
        for new in rulesets {
          let result = old.applying(old.changes(to: new))
          #expect(Self.meaning(result) == Self.meaning(new), "\(style.name)")
          try result.checkWellFormed()
        }
      }
    }
  }
}
