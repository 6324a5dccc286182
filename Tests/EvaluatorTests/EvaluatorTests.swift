// What this does not show: that the kernel does the same with these rules. RunTests and FuzzTests compare the two.
import Evaluator
import NetpolModel
import RuleIR
import Testing

private func address(_ last: UInt32) -> IPAddress { IPAddress(v4: 0x0a00_0000 + last) }
private func packet(mark: UInt32 = 0, port: UInt16 = 80, state: ConntrackState = .new) -> Packet {
  Packet(
    from: address(1), to: address(2), .transport(.tcp, source: 40000, destination: port), mark: mark, state: state)
}

/// A table with a base chain at INPUT, and further chains.
private func ruleset(
  _ rules: [Rule], policy: Chain.Base.Policy = .accept, _ chains: [Chain] = [], sets: [NamedSet] = []
) -> Ruleset {
  Ruleset(
    tables: [
      Table(
        name: "filter", family: .v4,
        chains: [Chain(name: "INPUT", base: .init(.input, policy: policy), rules: rules)] + chains)
    ], sets: sets)
}

private func run(_ ruleset: Ruleset, _ packet: Packet = packet(), local: Set<IPAddress> = []) throws -> Outcome {
  try Evaluator(ruleset, localAddresses: local).run(packet, at: .input)
}

@Suite("The evaluator does what netfilter does") struct EvaluatorTests {
  @Test("a return from a base chain applies its policy")
  func returnFromBase() throws {
    #expect(try run(ruleset([Rule([], [.return]), Rule([], [.drop])])).verdict == .accept)
    #expect(try run(ruleset([Rule([], [.return]), Rule([], [.accept])], policy: .drop)).verdict == .drop)
  }

  @Test("after a return from a user chain, or at its end, evaluation continues after the jump")
  func returnFromUserChain() throws {
    for body in [[Rule([], [.return]), Rule([], [.drop])], []] {
      let set = ruleset(
        [Rule([], [.jump("C")]), Rule([], [.reject(.portUnreachable)])], [Chain(name: "C", rules: body)])
      #expect(try run(set).verdict == .reject(.portUnreachable))
    }
  }

  @Test("a verdict in a user chain ends the evaluation")
  func verdictInUserChain() throws {
    let set = ruleset([Rule([], [.jump("C")]), Rule([], [.drop])], [Chain(name: "C", rules: [Rule([], [.accept])])])
    #expect(try run(set).verdict == .accept)
  }

  @Test("accept ends one base chain and later priorities still run; drop is final")
  func acceptIsNotFinal() throws {
    let chain = { (name: String, priority: Int, statement: Statement) in
      Chain(name: name, base: .init(.input, priority: priority), rules: [Rule([], [statement])])
    }
    let table = { Ruleset(tables: [Table(name: "t", family: .v4, chains: $0)]) }
    #expect(try run(table([chain("a", 0, .accept), chain("b", 10, .drop)])).verdict == .drop)
    #expect(try run(table([chain("b", 10, .accept), chain("a", 0, .drop)])).verdict == .drop)
    #expect(try run(table([chain("a", 0, .accept), chain("b", 10, .accept)])).verdict == .accept)
  }

  @Test("of base chains with one priority the one that was added last runs first")
  func samePriority() throws {
    let chain = { (name: String, statement: Statement) in
      Table(name: name, family: .v4, chains: [Chain(name: name, base: .init(.input), rules: [Rule([], [statement])])])
    }
    #expect(
      try run(Ruleset(tables: [chain("a", .drop), chain("b", .reject(.tcpReset))])).verdict == .reject(.tcpReset))
    #expect(try run(Ruleset(tables: [chain("b", .reject(.tcpReset)), chain("a", .drop)])).verdict == .drop)
  }

  @Test("a connection is translated once at a hook, only by its first packet, and not after another hook did it")
  func oneTranslation() throws {
    let (first, second) = (IPAddress(v4: 1), IPAddress(v4: 2))
    let chain = { (name: String, address: IPAddress) in
      Table(
        name: name, family: .v4,
        chains: [Chain(name: name, base: .nat(.prerouting), rules: [Rule([], [.dnat(address, port: nil)])])])
    }
    let evaluator = try Evaluator(Ruleset(tables: [chain("a", first), chain("b", second)]), localAddresses: [])
    var packet = packet()
    let untouched = packet.destination
    #expect(evaluator.run(packet, at: .prerouting).packet.destination == second)
    #expect(evaluator.run(packet, at: .prerouting, isTranslated: true).packet.destination == untouched)
    packet.state = .established
    #expect(evaluator.run(packet, at: .prerouting).packet.destination == untouched)
  }

  @Test("MARK --set-xmark clears the mask and xors the value, and the mark survives the hook")
  func markSurvives() throws {
    let cases: [(UInt32, Mark, UInt32)] = [
      (0, Mark(0x10000, mask: 0x10000), 0x10000), (0x10000, Mark(0x10000, mask: 0x10000), 0x10000),
      (0x30000, Mark(0, mask: 0x10000), 0x20000), (0x4000, Mark(0x20000, mask: 0x20000), 0x24000),
      (0xff, Mark(0x1, mask: 0), 0xfe),
    ]
    for (before, mark, after) in cases {
      #expect(try run(ruleset([Rule([], [.setMark(mark)])]), packet(mark: before)).packet.mark == after)
    }
  }

  @Test("a mark match only compares the masked bits, and its negation is exact")
  func markMatch() throws {
    let wanted = Match.mark(Mark(0x10000, mask: 0x10000))
    let unwanted = Match.mark(Mark(0x10000, mask: 0x10000), negated: true)
    for mark: UInt32 in [0, 0x10000, 0x4000, 0x14000] {
      let has = mark & 0x10000 != 0
      #expect(try run(ruleset([Rule([wanted], [.drop])]), packet(mark: mark)).verdict == (has ? .drop : .accept))
      #expect(try run(ruleset([Rule([unwanted], [.drop])]), packet(mark: mark)).verdict == (has ? .accept : .drop))
    }
  }

  @Test("in a hash:net the longest prefix decides, whatever the order of members; of equal prefixes the last one stays")
  func longestPrefix() throws {
    let cidr = { (text: String) throws in try #require(CIDR(text)) }
    let members: [NamedSet.Member] = [
      .init(try cidr("10.1.0.0/16"), nomatch: true), .init(try cidr("10.1.2.0/24")), .init(try cidr("10.0.0.0/8")),
    ]
    let contains = { (text: String, members: [NamedSet.Member]) throws -> Bool in
      let set = NamedSet(name: "s", family: .v4, kind: .hashNet, members: members)
      var probe = packet()
      probe.source = try #require(IPAddress(text))
      return try run(ruleset([Rule([.inSet(.source, "s")], [.drop])], sets: [set]), probe).verdict == .drop
    }
    for order in [members, members.reversed()] {
      #expect(try contains("10.1.2.9", order))
      #expect(try !contains("10.1.3.9", order))
      #expect(try contains("10.2.0.1", order))
      #expect(try !contains("11.0.0.1", order))
    }
    let tie = [NamedSet.Member(try cidr("10.0.0.0/8")), .init(try cidr("10.0.0.0/8"), nomatch: true)]
    #expect(try !contains("10.2.0.1", tie))
    #expect(try contains("10.2.0.1", tie.reversed()))
  }

  static let matches: [(Match, Packet, Bool)] = [
    (.address(.source, CIDR(address(1))), packet(), true),
    (.address(.destination, CIDR(address(1))), packet(), false),
    (.transport(.tcp), packet(), true), (.transport(.udp), packet(), false),
    (.port(.tcp, PortRange(80, 90)), packet(port: 90), true), (.port(.tcp, PortRange(80, 90)), packet(port: 91), false),
    (.port(.udp, PortRange(80)), packet(), false),
    (.multiport(.tcp, [PortRange(1), PortRange(80)]), packet(), true),
    (.sourcePort(.tcp, PortRange(40000)), packet(), true), (.sourcePort(.tcp, PortRange(80)), packet(), false),
    (.sourcePort(.udp, PortRange(40000)), packet(), false),
    (.icmpType(8), Packet(from: address(1), to: address(2), .icmp(type: 8)), true),
    (.icmpType(8), Packet(from: address(1), to: address(2), .icmp(type: 0)), false), (.icmpType(8), packet(), false),
    (.transport(.tcp), Packet(from: address(1), to: address(2), .other(2)), false),
    (.conntrack([.related, .established]), packet(state: .established), true),
    (.conntrack([.related, .established]), packet(), false), (.conntrack([.invalid]), packet(state: .invalid), true),
    (.bridged, packet(), false),
    (.bridged, Packet(from: address(1), to: address(2), .icmp(type: 8), isBridged: true), true),
    (.local(.source), packet(), true), (.local(.destination), packet(), false),
    (.limit(RateLimit(10, per: .minute, burst: 10)), packet(), true),
  ]

  @Test("each match holds exactly for the packets it should", arguments: matches.indices)
  func match(index: Int) throws {
    let (match, packet, expected) = Self.matches[index]
    let outcome = try run(ruleset([Rule([match], [.drop])]), packet, local: [address(1)])
    #expect((outcome.verdict == .drop) == expected)
  }

  @Test("what a rule takes out of connection tracking is never translated, and matches as untracked")
  func notrack() throws {
    let raw = Table(
      name: "raw", family: .v4,
      chains: [Chain(name: "PREROUTING", base: .init(.prerouting, priority: -300), rules: [Rule([], [.notrack])])])
    let nat = Table(
      name: "nat", family: .v4,
      chains: [Chain(name: "PREROUTING", base: .nat(.prerouting), rules: [Rule([], [.dnat(address(9), port: 1)])])])
    let filter = Table(
      name: "mangle", family: .v4,
      chains: [
        Chain(name: "PREROUTING", base: .init(.prerouting), rules: [Rule([.conntrack([.untracked])], [.drop])])
      ])
    for (tables, verdict) in [([nat, raw, filter], Outcome.Verdict.drop), ([nat, filter], .accept)] {
      let evaluator = try Evaluator(Ruleset(tables: tables), localAddresses: [])
      let outcome = evaluator.run(packet(), at: .prerouting)
      #expect(outcome.verdict == verdict)
      #expect((outcome.packet.destination == address(9)) == (verdict == .accept))
    }
  }

  @Test("rules of the other family and of other hooks are not run")
  func familyAndHook() throws {
    let evaluator = try Evaluator(ruleset([Rule([], [.drop])]), localAddresses: [])
    #expect(evaluator.run(packet(), at: .forward).verdict == .accept)
    let v6 = Packet(from: IPAddress(v6: 1), to: IPAddress(v6: 2), .icmp(type: 128))
    #expect(evaluator.run(v6, at: .input).verdict == .accept)
  }

  @Test("the trace lists every rule that matched, in order, and counts all rules that were tested")
  func trace() throws {
    let set = ruleset(
      [Rule([.transport(.udp)], [.drop]), Rule([], [.jump("C")]), Rule([], [.reject(.tcpReset)])],
      [Chain(name: "C", rules: [Rule([.mark(Mark(1, mask: 1))], [.drop]), Rule([], [.setMark(Mark(1, mask: 1))])])])
    let outcome = try run(set)
    #expect(outcome.steps.map { "\($0.chain) \($0.index)" } == ["INPUT 1", "C 1", "INPUT 2"])
    #expect(outcome.rulesVisited == 5)
  }

  @Test("rules that a kernel would refuse are refused")
  func illFormed() {
    let loop = ruleset([Rule([], [.jump("A")])], [Chain(name: "A", rules: [Rule([], [.jump("A")])])])
    let cases: [(Ruleset, IllFormed.Defect)] = [
      (ruleset([Rule([], [.jump("nowhere")])]), .unknownChain("nowhere")),
      (ruleset([Rule([.inSet(.source, "none")], [.drop])]), .unknownSet("none")),
      (loop, .jumpCycle(through: "A")),
      (
        ruleset([], [Chain(name: String(repeating: "c", count: 29))]),
        .chainNameTooLong(String(repeating: "c", count: 29))
      ),
    ]
    for (ruleset, defect) in cases {
      #expect(throws: IllFormed(defect: defect)) { try Evaluator(ruleset, localAddresses: []) }
    }
  }
}
