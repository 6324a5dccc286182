// docs/exactness.md stands on this: a match reads the fields that are named there, and no others.
import Evaluator
import NetpolModel
import RuleIR
import Testing

@Suite("What a match reads") struct MatchFieldTests {
  enum Field: String, CaseIterable {
    case source, destination, destinationPort, sourcePort, transport, state, mark, bridged, codePoint, translated
  }

  struct Case: CustomTestStringConvertible {
    let match: Match
    let reads: Set<Field>
    var packet = MatchFieldTests.packet
    var testDescription: String { "\(match)" }
  }

  private static let packet = Packet(
    from: IPAddress(v4: 0x0a2a_0002), to: IPAddress(v4: 0x0a2a_0003),
    .transport(.tcp, source: 40000, destination: 80), mark: 0x10000)
  private static let ping = Packet(
    from: IPAddress(v4: 0x0a2a_0002), to: IPAddress(v4: 0x0a2a_0003), .icmp(type: 8))
  private static var translated: Packet {
    var packet = packet
    packet.hasNewDestination = true
    return packet
  }
  private static var bridged: Packet {
    var packet = packet
    packet.isBridged = true
    return packet
  }

  private static let pods = CIDR(IPAddress(v4: 0x0a2a_0000), prefixLength: 16)
  static let cases: [Case] = [
    Case(match: .address(.source, pods), reads: [.source]),
    Case(match: .address(.destination, pods), reads: [.destination]),
    Case(match: .address(.source, CIDR(IPAddress(v4: 1)), negated: true), reads: [.source]),
    Case(match: .addresses(.destination, [pods]), reads: [.destination]),
    Case(match: .inSet(.source, "set"), reads: [.source]),
    Case(match: .inSet(.destination, "set"), reads: [.destination]),
    Case(match: .local(.destination), reads: [.destination]),
    Case(match: .keyed([.address(.source), .port], in: "keys"), reads: [.source, .destinationPort, .transport]),
    Case(match: .keyed([.mark], in: "marks"), reads: [.mark]),
    Case(match: .transport(.tcp), reads: [.transport]),
    Case(match: .port(.tcp, PortRange(80)), reads: [.transport, .destinationPort]),
    Case(match: .multiport(.tcp, [PortRange(80), PortRange(90)]), reads: [.transport, .destinationPort]),
    Case(match: .sourcePort(.tcp, PortRange(40000)), reads: [.transport, .sourcePort]),
    Case(match: .icmpType(8), reads: [.transport, .destinationPort, .sourcePort], packet: ping),
    Case(match: .conntrack([.new]), reads: [.state]),
    Case(match: .translated, reads: [.translated], packet: translated),
    Case(match: .bridged, reads: [.bridged], packet: bridged),
    Case(match: .mark(Mark(0x10000, mask: 0x10000)), reads: [.mark]),
    Case(match: .limit(RateLimit(1, per: .second, burst: 1)), reads: []),
    Case(match: .random(share: 1), reads: []),
    Case(match: .codePoint(0), reads: [.codePoint]),
  ]

  private static func holds(_ match: Match, _ packet: Packet) throws -> Bool {
    let ruleset = Ruleset(
      backend: .nftables,
      tables: [
        Table(
          name: "t", family: .v4,
          chains: [Chain(name: "c", base: .init(.forward), rules: [Rule([match], [.drop])])])
      ],
      sets: [NamedSet(name: "set", family: .v4, kind: .interval, members: [.init(pods)])],
      keyedSets: [
        KeyedSet(
          name: "keys", family: .v4, fields: [.address, .port], content: .keys,
          elements: [.init([packetBits.source, 80])]),
        KeyedSet(name: "marks", family: .v4, fields: [.mark], content: .keys, elements: [.init([0x10000])]),
      ])
    let evaluator = try Evaluator(ruleset, localAddresses: [MatchFieldTests.packet.destination])
    return evaluator.run(packet, at: .forward).verdict == .drop
  }

  private static var packetBits: (source: UInt128, destination: UInt128) {
    (packet.source.bits, packet.destination.bits)
  }

  /// The packet with another value in a field.
  private static func flipped(_ field: Field, _ packet: Packet) -> Packet {
    var other = packet
    switch field {
    case .source: other.source = IPAddress(v4: 0xcb00_7105)
    case .destination: other.destination = IPAddress(v4: 0xcb00_7106)
    case .state: other.state = .invalid
    case .mark: other.mark = 0x4000
    case .bridged: other.isBridged.toggle()
    case .codePoint: other.codePoint = 9
    case .translated: other.hasNewDestination.toggle()
    case .transport: other.payload = .other(47)
    case .destinationPort:
      if case .transport(let transport, let source, _) = packet.payload {
        other.payload = .transport(transport, source: source, destination: 81)
      }
    case .sourcePort:
      if case .transport(let transport, _, let destination) = packet.payload {
        other.payload = .transport(transport, source: 41, destination: destination)
      }
    }
    return other
  }

  @Test("A match that holds still holds if any field that it doesn't read is another", arguments: cases)
  func otherFields(_ one: Case) throws {
    #expect(try Self.holds(one.match, one.packet))
    for field in Field.allCases where !one.reads.contains(field) {
      #expect(try Self.holds(one.match, Self.flipped(field, one.packet)), "\(one.match): \(field)")
    }
  }

  @Test("A match no longer holds if a field that it reads is another", arguments: cases)
  func ownFields(_ one: Case) throws {
    // A second port or protocol would do as well, so one of the fields is enough. Negated ones hold for all others.
    if case .address(_, _, true) = one.match { return }
    let changing = one.reads.filter { Self.flipped($0, one.packet) != one.packet }
    if changing.isEmpty { return }
    #expect(try changing.contains { try !Self.holds(one.match, Self.flipped($0, one.packet)) })
  }
}
