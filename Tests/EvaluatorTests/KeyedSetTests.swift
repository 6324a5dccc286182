// What this does not show: that the kernel does the same. RunTests and FuzzTests compare the two.
import Evaluator
import NetpolModel
import RuleIR
import Testing

@Suite("Keyed sets in the evaluator") struct KeyedSetTests {
  private static let fields: [PacketField] = [.mark, .address(.source), .transport, .port]
  private static let ports: [PacketField] = [.mark, .transport, .port]

  private static func outcome(_ rules: [Rule], _ sets: [KeyedSet], _ packet: Packet) throws -> Outcome {
    let chain = Chain(name: "c", base: .init(.input), rules: rules)
    let ruleset = Ruleset(
      backend: .nftables, tables: [Table(name: "t", family: packet.family, chains: [chain])], keyedSets: sets)
    return try Evaluator(ruleset, localAddresses: []).run(packet, at: .input)
  }

  private static func packet(
    _ payload: Packet.Payload = .transport(.udp, source: 1, destination: 53), mark: UInt32 = 5
  ) -> Packet {
    Packet(from: IPAddress(v4: 1), to: IPAddress(v4: 2), payload, mark: mark)
  }

  @Test(
    "a packet matches a set if every field of a key equals the packet's",
    arguments: [([5, 1, 17, 53], true), ([4, 1, 17, 53], false), ([5, 2, 17, 53], false), ([5, 1, 6, 53], false)]
      as [([UInt128], Bool)])
  func key(key: [UInt128], holds: Bool) throws {
    let set = KeyedSet(
      name: "s", family: .v4, fields: Self.fields.map(\.type), elements: [KeyedSet.Element(key)])
    let rule = Rule([.keyed(Self.fields, in: "s")], [.drop])
    #expect(try Self.outcome([rule], [set], Self.packet()).verdict == (holds ? .drop : .accept))
    #expect(try Self.outcome([rule], [set], Self.packet(.icmp(type: 8))).verdict == .accept, "a ping has no port")
  }

  @Test("a range contains its ends and everything between, and only counts after equal fields")
  func range() throws {
    let set = KeyedSet(
      name: "s", family: .v4, fields: Self.ports.map(\.type), hasRanges: true,
      elements: [([5, 17, 10], 20), ([5, 17, 30], 30), ([5, 6, 0], 65535), ([6, 17, 0], 5)].map {
        KeyedSet.Element($0.0, through: $0.1)
      })
    let rule = Rule([.keyed(Self.ports, in: "s")], [.drop])
    for (port, holds) in [(9, false), (10, true), (15, true), (20, true), (21, false), (30, true), (31, false)] {
      let payload = Packet.Payload.transport(.udp, source: 1, destination: UInt16(port))
      #expect(try Self.outcome([rule], [set], Self.packet(payload)).verdict == (holds ? .drop : .accept), "\(port)")
    }
  }

  @Test("a map's value becomes the mark; without a value the rule ends as if it had not matched")
  func map() throws {
    let map = KeyedSet(
      name: "m", family: .v4, fields: [.address], content: .marks, elements: [KeyedSet.Element([2], mark: 9)])
    let rules = { (side: Side) in
      [
        Rule([], [.setMarkFrom([.address(side)], map: "m"), .drop]), Rule([.mark(Mark(5, mask: .max))], [.return]),
      ]
    }
    let hit = try Self.outcome(rules(.destination), [map], Self.packet())
    #expect(hit.verdict == .drop && hit.packet.mark == 9 && hit.steps.map(\.index) == [0])
    let miss = try Self.outcome(rules(.source), [map], Self.packet())
    #expect(miss.verdict == .accept && miss.packet.mark == 5 && miss.steps.map(\.index) == [1])
  }

  @Test("a map's verdict drops the packet or continues in its chain; a goto never comes back to its own chain")
  func verdicts() throws {
    let map = KeyedSet(
      name: "v", family: .v4, fields: [.address, .port], content: .verdicts,
      elements: [
        .init([2, 53], .verdict(.goto("away"))), .init([2, 54], .verdict(.drop)),
        .init([2, 55], .verdict(.goto("end"))),
      ])
    let ask = Rule([], [.verdictFrom([.address(.destination), .port], map: "v")])
    let table = Table(
      name: "t", family: .v4,
      chains: [
        Chain(
          name: "c", base: .init(.input),
          rules: [Rule([], [.jump("inner")]), Rule([], [.setMark(Mark(8, mask: 8))]), Rule([.codePoint(0)], [.return])]),
        Chain(name: "inner", rules: [ask, Rule([], [.setMark(Mark(16, mask: 16))])]),
        Chain(name: "away", rules: [Rule([], [.setMark(Mark(32, mask: 32))]), Rule([], [.gotoRandomly(["end"])])]),
        Chain(name: "end", rules: [Rule([], [.setMark(Mark(64, mask: 64))]), Rule([], [.return])]),
      ])
    let evaluator = try Evaluator(
      Ruleset(backend: .nftables, tables: [table], keyedSets: [map]), localAddresses: [])
    // The port, the verdict and the mark at the end.
    let cases: [(UInt16, Outcome.Verdict, UInt32)] = [
      (53, .accept, 8 | 32 | 64), (54, .drop, 0), (55, .accept, 8 | 64), (56, .accept, 8 | 16),
    ]
    for (port, verdict, mark) in cases {
      let outcome = evaluator.run(
        Self.packet(.transport(.udp, source: 1, destination: port), mark: 0), at: .input)
      #expect(outcome.verdict == verdict && outcome.packet.mark == mark, "port \(port): \(outcome.packet.mark)")
    }
  }

  @Test("a packet counts as translated from then on, and one of several networks is enough")
  func translated() throws {
    let to = IPAddress(v4: 9)
    let table = Table(
      name: "t", family: .v4,
      chains: [
        Chain(
          name: "n", base: .nat(.prerouting),
          rules: [
            Rule(
              [.addresses(.source, [CIDR(IPAddress(v4: 1)), CIDR(IPAddress(v4: 3))])],
              [.dnatRandomly([.init(to, port: 80)])])
          ]),
        Chain(name: "c", base: .init(.forward), rules: [Rule([.translated], [.drop])]),
      ])
    let evaluator = try Evaluator(Ruleset(backend: .nftables, tables: [table]), localAddresses: [])
    for (source, isTranslated) in [(1, true), (2, false), (3, true)] {
      var packet = Self.packet()
      packet.source = IPAddress(v4: UInt32(source))
      let first = evaluator.run(packet, at: .prerouting)
      #expect((first.packet.destination == to) == isTranslated)
      #expect(evaluator.run(first.packet, at: .forward).verdict == (isTranslated ? .drop : .accept))
    }
  }
}
