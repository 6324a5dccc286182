// Not covered: what packets see while a change is made.
import Apply
import Kernel
import Lowering
import NetpolModel
import RuleIR
import Statistics
import TestSupport
import Testing

@testable import Worlds

@Suite("Changes to nf_tables", .serialized, .needsNamespaces)
struct NftChangesTests {
  private let worker: NamespaceWorker

  init() throws { worker = try NamespaceWorker() }

  /// Tables, chains and sets with their contents, in no particular order of objects or elements.
  private func objects(in namespace: NetworkNamespace, withSizes: Bool) throws -> [String] {
    let text = try Command(["nft", "--stateless", "list", "ruleset"]).run(in: namespace, on: worker).requireSuccess()
      .text
    var objects: [String] = []
    for line in text.replacing(/,\n\s+/, with: ", ").split(separator: "\n") where line != "}" {
      if !withSizes, line.hasPrefix("\t\tsize ") { continue }
      let isNew = line.hasPrefix("table ") || line.firstMatch(of: #/^\t(set|map|chain) /#) != nil
      let line =
        line.contains("elements = {") ? line.split { " ,{}\t".contains($0) }.sorted().joined(separator: " ") : "\(line)"
      if isNew || objects.isEmpty { objects.append(line) } else { objects[objects.count - 1] += "\n" + line }
    }
    return objects.sorted()
  }

  /// After each change the node has what a fresh load of the target gives. With `growing`, the sizes of sets are
  /// ignored.
  private func follow(
    _ rulesets: [Ruleset], growing: Bool = false, _ location: Testing.SourceLocation = #_sourceLocation
  ) throws {
    let loader = try RuleLoader(worker: worker)
    let namespace = try worker.makeNamespace()
    var last = try #require(rulesets.first)
    try loader.load(last, in: namespace)
    for (step, target) in rulesets.enumerated().dropFirst() {
      last = try loader.replace(last, with: target, in: namespace)
      let fresh = try worker.makeNamespace()
      try loader.load(target, in: fresh)
      let (found, wanted) = (
        try objects(in: namespace, withSizes: !growing), try objects(in: fresh, withSizes: !growing)
      )
      #expect(found.count > 1 || target.tables.isEmpty, sourceLocation: location)
      #expect(found == wanted, "step \(step)", sourceLocation: location)
    }
  }

  @Test(
    "changes lead from one random world to the next, in every nftables style", arguments: 0..<3 as Range<UInt64>,
    EnforcementStyle.all.filter { $0.backend == .nftables })
  func worlds(_ place: UInt64, _ style: EnforcementStyle) throws {
    let rulesets = (0..<World.seedsOnOnePlace).compactMap { number in
      let cluster = World(seed: place * World.seedsOnOnePlace + number).cluster
      return cluster.nodes.first.map { style.lower(NodeView(of: $0, in: cluster)).ruleset }
    }
    try follow(rulesets)
  }

  @Test("ranges are added and removed, whichever neighbours share an end with them", arguments: IPFamily.allCases)
  func ranges(_ family: IPFamily) throws {
    var random = SplitMix64(seed: 7)
    // Sixteen adjacent blocks, the first and the last at the ends of the address space. Some are split into halves.
    func set() -> NamedSet {
      let members = (0..<16).flatMap { number -> [NamedSet.Member] in
        let choice = random.next() % 4
        let top = UInt128(number) << UInt128(family.bitWidth - 4)
        let half = UInt128(1) << UInt128(family.bitWidth - 5)
        let block = { (bits: UInt128, length: Int) in
          NamedSet.Member(CIDR(IPAddress(family: family, bits: bits), prefixLength: length))
        }
        switch choice {
        case 0: return [block(top, 4)]
        case 1: return [block(top, 5), block(top + half, 5)]
        case 2: return [block(top + half, 5)]
        default: return []
        }
      }
      return NamedSet(name: "s", family: family, kind: .interval, members: members)
    }
    let rule = Rule([.inSet(.source, "s")], [.accept])
    let table = Table(name: "t", family: family, chains: [Chain(name: "c", base: .init(.forward), rules: [rule])])
    let rulesets = (0..<30).map { _ in Ruleset(backend: .nftables, tables: [table], sets: [set()]) }
    for (old, new) in zip(rulesets, rulesets.dropFirst()) { #expect(old.changes(to: new).goneSets.isEmpty) }
    try follow(rulesets)
  }

  @Test("a set that grows in small steps is replaced before it is full, and shrinks again")
  func growth() throws {
    func ruleset(_ count: Int) -> Ruleset {
      var size = 4
      while size < 2 * count { size *= 2 }
      let set = KeyedSet(
        name: "s", family: .v4, fields: [.address, .port], size: size,
        elements: (0..<count).map { KeyedSet.Element([UInt128($0), 80]) })
      let rules = [Rule([.keyed([.address(.source), .port], in: "s")], [.accept])]
      let table = Table(name: "t", family: .v4, chains: [Chain(name: "c", base: .init(.forward), rules: rules)])
      return Ruleset(backend: .nftables, tables: [table], keyedSets: [set])
    }
    try follow([1, 3, 5, 8, 13, 20, 33, 2, 60, 61].map(ruleset), growing: true)
  }

  @Test("a chain's hook, a comment and a set's type change, with everything that refers to them")
  func types() throws {
    func ruleset(
      hook: Hook = .forward, comment: String? = nil, kind: NamedSet.Kind = .addresses, size: Int? = 64,
      table: String? = nil
    ) throws -> Ruleset {
      let member = NamedSet.Member(CIDR(IPAddress(v4: 0x0a00_0001)))
      return Ruleset(
        backend: .nftables,
        tables: [
          Table(
            name: "t", family: .v4,
            chains: [
              Chain(name: "inner", rules: [Rule([.inSet(.source, "s")], [.accept])], comment: comment),
              Chain(
                name: "base", base: .init(hook),
                rules: [
                  Rule([.multiport(.tcp, [PortRange(1), PortRange(5, 9)])], [.jump("inner")]),
                  Rule([], [.setMarkFrom([.address(.source)], map: "m"), .jump("inner")]),
                  Rule([], [.verdictFrom([.port], map: "v")]),
                ]),
            ], comment: table)
        ], sets: [NamedSet(name: "s", family: .v4, kind: kind, members: [member])],
        keyedSets: [
          KeyedSet(
            name: "m", family: .v4, fields: [.address], content: .marks, size: size,
            elements: [KeyedSet.Element([0x0a00_0001], mark: 5)]),
          // Its chain is created again with another comment.
          KeyedSet(
            name: "v", family: .v4, fields: [.port], content: .verdicts,
            elements: [
              .init([80], .verdict(.goto("inner"))), .init([81], .verdict(hook == .forward ? .drop : .goto("inner"))),
            ]),
        ])
    }
    let rulesets = [
      try ruleset(), try ruleset(hook: .input), try ruleset(comment: "it"), try ruleset(kind: .interval),
      try ruleset(hook: .output, comment: "so", kind: .addresses, size: nil), try ruleset(table: "other"),
      try ruleset(comment: "last", size: nil), Ruleset(backend: .nftables), try ruleset(),
    ]
    try follow(rulesets)
  }
}
