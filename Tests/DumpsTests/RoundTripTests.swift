import Dumps
import Foundation
import NetpolModel
import Rendering
import RuleIR
import Statistics
import TestSupport
import Testing
import Worlds

@Suite("A real dump is unchanged after reading and printing it") struct RoundTripTests {
  @Test("all dumps exist") func count() {
    #expect(GoldenDump.iptables.count >= 87)
    #expect(GoldenDump.iptables.filter { $0.family == .v6 }.count >= 6)
    #expect(GoldenDump.ipset.count >= 81)
  }

  @Test("iptables-save", arguments: GoldenDump.iptables) func iptables(dump: GoldenDump) throws {
    let read = try readIptablesSave(dump.text, family: dump.family, file: dump.path)
    #expect(read.tables.map(\.name) == ["filter"])
    let printed = try read.tables.map(iptablesRestoreText).joined().components(separatedBy: "\n")
    let foreign = Set(read.foreign.map(\.text))
    #expect(foreign.allSatisfy { $0.contains(" docker0 ") }, "\(foreign)")
    let real = dump.text.components(separatedBy: "\n")
    #expect(rulesByChain(printed) == rulesByChain(real.filter { !foreign.contains($0) }))
    let declarations = { (lines: [String]) in
      Set(lines.filter { $0.hasPrefix(":") }.map { $0.components(separatedBy: " [")[0] })
    }
    #expect(declarations(printed) == declarations(real))
    #expect(read.tables.flatMap(\.chains).map(\.name) == real.filter { $0.hasPrefix(":") }.map(chainName))
  }

  private func chainName(_ declaration: String) -> String {
    String(declaration.dropFirst().prefix { $0 != " " })
  }

  @Test("ipset save", arguments: GoldenDump.ipset) func ipset(dump: GoldenDump) throws {
    let read = try readIpsetSave(dump.text, file: dump.path)
    #expect(read.foreign == [])
    let printed = try ipsetRestoreText(read.sets).components(separatedBy: "\n")
    let real = dump.text.components(separatedBy: "\n").map { $0.components(separatedBy: " initval")[0] }
    #expect(Set(printed) == Set(real))
    #expect(read.sets.map(\.name) == real.filter { $0.hasPrefix("create ") }.map { $0.components(separatedBy: " ")[1] })
  }

  @Test("dumps are well formed", arguments: GoldenDump.iptables) func wellFormed(dump: GoldenDump) throws {
    let folder = (dump.path as NSString).deletingLastPathComponent
    let sets = try #require(GoldenDump.ipset.first { ($0.path as NSString).deletingLastPathComponent == folder })
    let ruleset = Ruleset(
      tables: try readIptablesSave(dump.text, family: dump.family, file: dump.path).tables,
      sets: try readIpsetSave(sets.text, file: sets.path).sets)
    try ruleset.checkWellFormed()
  }

  @Test("the output of Rendering is read back to the same value", arguments: 0..<500) func values(seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    let family: IPFamily = .allCases.randomElement(using: &generator) ?? .v4
    let rules = (0..<20).map { _ in randomRule(family, &generator) }
    let table = Table(
      name: "filter", family: family,
      chains: [
        Chain(name: "INPUT", base: Chain.Base(.input, policy: .drop), rules: rules), Chain(name: "KUBE-ROUTER-INPUT"),
      ])
    let text = try iptablesRestoreText(table)
    let read = try readIptablesSave(text, family: family, file: "f") { _ in true }
    #expect(read == IptablesDump(tables: [table]))
  }

  @Test("the random rules cover every kind that is printed") func kinds() {
    var generator = SplitMix64(seed: 1)
    let rules = (0..<500).map { _ in randomRule(.v4, &generator) }
    #expect(Set(of: rules) == Set.sayable(in: .iptables).subtracting([.counter]))
  }
}

private func randomRule(_ family: IPFamily, _ generator: inout SplitMix64) -> Rule {
  func pick<T>(_ choices: [T]) -> T { choices[Int.random(in: choices.indices, using: &generator)] }
  func address() -> CIDR {
    let bits = UInt128(generator.next()) << 64 | UInt128(generator.next())
    return CIDR(
      IPAddress(family: family, bits: bits), prefixLength: Int.random(in: 0...family.bitWidth, using: &generator))
  }
  func number() -> UInt32 { UInt32.random(in: 0...UInt32.max, using: &generator) }
  func range() -> PortRange {
    let first = UInt16.random(in: 0...UInt16.max, using: &generator)
    return PortRange(first, pick([first, UInt16.random(in: first...UInt16.max, using: &generator)]))
  }
  // In the order of iptables-save: addresses, protocol, physdev, the rest.
  var matches: [Match] = []
  if Bool.random(using: &generator) { matches.append(.address(.source, address(), negated: pick([true, false]))) }
  if Bool.random(using: &generator) { matches.append(.address(.destination, address(), negated: pick([true, false]))) }
  let transport: Transport = pick(Transport.allCases)
  let kind = pick([0, 1, 2, 3, 4, 5])
  if kind == 1 { matches.append(.transport(transport)) }
  if pick([true, false, false]) { matches.append(.bridged) }
  var others: [Match] = [
    .inSet(pick(Side.allCases), "inet6:KUBE-SRC-A", negated: pick([true, false])),
    .conntrack(Set(ConntrackState.allCases.shuffled(using: &generator).prefix(pick([1, 2, 3, 4])))),
    .local(pick(Side.allCases)), .mark(Mark(number(), mask: number()), negated: pick([true, false])),
    .random(share: UInt32.random(in: 0...0x8000_0000, using: &generator)),
    .codePoint(UInt8.random(in: 0..<64, using: &generator)),
    .limit(RateLimit(pick([1, 10, 20]), per: .minute, burst: pick([1, 5, 10, 10_000]))),
  ]
  others = Array(others.shuffled(using: &generator).prefix(pick([0, 1, 2, 3])))
  if kind == 2 { others.append(.port(transport, range())) }
  if kind == 5 { others.append(.sourcePort(transport, range())) }
  if kind == 3 { others.append(.multiport(transport, [range(), range()])) }
  if kind == 4 { others.append(.icmpType(UInt8.random(in: 0...254, using: &generator))) }
  matches += others.shuffled(using: &generator)
  let characters = Array("ab -\"'\\/:é\t!#")
  func word() -> String { String((0..<pick([1, 3, 9])).map { _ in pick(characters) }) }
  let statement: Statement = pick([
    .dnat(address().network, port: pick([nil, 1, 65535])), .masquerade(randomFully: pick([true, false])),
    .notrack, .accept, .drop, .return, .reject(.portUnreachable), .reject(.tcpReset), .jump("KUBE-ROUTER-INPUT"),
    .setMark(Mark(number(), mask: number())), .log(group: UInt16(number() >> 16), prefix: pick([nil, word()])),
  ])
  return Rule(matches, pick([[], [statement], [statement]]), comment: pick([nil, "", word()]))
}
