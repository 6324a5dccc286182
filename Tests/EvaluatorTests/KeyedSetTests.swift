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
      name: "m", family: .v4, fields: [.address], isMap: true, elements: [KeyedSet.Element([2], mark: 9)])
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
}
