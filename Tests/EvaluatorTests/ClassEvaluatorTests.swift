import Evaluator
import NetpolModel
import RuleIR
import Testing

@Suite("Classes of packets") struct ClassEvaluatorTests {
  private static let space = PacketSpace(
    .v4, addresses: RandomRules.addresses, dividedBy: RandomRules.ports.map { (.tcp, PortRange($0)) })

  /// All packets between the addresses, in one set.
  private static func everything() throws -> PacketSet {
    let addresses = try #require(Numbers(Bits(allBelow: space.addresses.count)))
    var set = PacketSet(
      from: addresses, to: addresses, try #require(Numbers(Bits(allBelow: space.questionCount))),
      [.new, .established, .invalid])
    set.codePoints = .max
    return set
  }

  /// Every packet is in one class, and has the verdict of `Evaluator`.
  private static func compare(_ evaluator: Evaluator, joinsSets: Bool, _ note: Comment) throws {
    let classes = ClassEvaluator(evaluator, space, joinsSets: joinsSets).run([try everything()], at: .forward)
    for (from, source) in space.addresses.enumerated() {
      for (to, destination) in space.addresses.enumerated() {
        for port in RandomRules.ports {
          let question = space.number(of: .port(TransportPort(.tcp, port)))
          for state in [ConntrackState.new, .established, .invalid] {
            for codePoint in [UInt8(0), 7] {
              let packet = Packet(
                from: source, to: destination, .transport(.tcp, source: 40000, destination: port), state: state,
                codePoint: codePoint)
              let own = classes.filter {
                $0.packets.sources.contains(from) && $0.packets.destinations.contains(to)
                  && $0.packets.questions.contains(question) && $0.packets.states.contains(ConntrackStates(state))
                  && $0.packets.codePoints & 1 << UInt64(codePoint) != 0
              }
              #expect(own.map(\.verdict) == [evaluator.run(packet, at: .forward).verdict], "\(note): \(packet)")
            }
          }
        }
      }
    }
  }

  @Test("With random rules every packet is in one class, with the evaluator's verdict", arguments: [false, true])
  func randomRules(joinsSets: Bool) throws {
    for seed in 1...UInt64(60) {
      let evaluator = try Evaluator(RandomRules(seed: seed).ruleset, localAddresses: [RandomRules.addresses[0]])
      try Self.compare(evaluator, joinsSets: joinsSets, "seed \(seed)")
    }
  }

  static let pairs: [(matches: [Match], what: String)] = [
    (
      [.address(.destination, CIDR(RandomRules.addresses[0])), .inSet(.destination, "two", negated: true)],
      "destination"
    ),
    ([.address(.source, CIDR(RandomRules.addresses[0])), .inSet(.source, "two", negated: true)], "source"),
    ([.port(.tcp, PortRange(80)), .multiport(.tcp, [PortRange(53), PortRange(443)])], "port"),
    ([.conntrack([.new]), .conntrack([.established])], "state"),
    ([.codePoint(0), .codePoint(7)], "code point"),
  ]

  @Test(
    "A rule with two matches of one field, each of which some packet fits and both of which none does, matches nothing",
    arguments: pairs)
  func contradiction(pair: (matches: [Match], what: String)) throws {
    var ruleset = Ruleset(backend: .nftables)
    ruleset.sets = [
      NamedSet(
        name: "two", family: .v4, kind: .addresses, members: RandomRules.addresses.prefix(2).map { .init(CIDR($0)) })
    ]
    ruleset.tables = [
      Table(
        name: "filter", family: .v4,
        chains: [
          Chain(name: "forward", base: Chain.Base(.forward, policy: .accept), rules: [Rule(pair.matches, [.drop])])
        ])
    ]
    let evaluator = try Evaluator(ruleset, localAddresses: [])
    try Self.compare(evaluator, joinsSets: true, "\(pair.what)")
  }
}
