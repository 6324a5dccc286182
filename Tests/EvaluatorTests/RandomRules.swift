import NetpolModel
import RuleIR
import Statistics

/// Random rules like those of nodes with a chain for each pod: a dispatching chain, chains about one address each that
/// are otherwise alike, and chains that all of them jump to.
struct RandomRules {
  static let addresses = (1...6).map { IPAddress(v4: 0x0a00_0000 + UInt32($0)) }
  static let ports: [UInt16] = [53, 80, 443]
  private static let sets = 4
  private static let shared = 3
  private var numbers: SplitMix64
  private(set) var ruleset = Ruleset(backend: .nftables)

  init(seed: UInt64) {
    numbers = SplitMix64(seed: seed)
    for set in 0..<Self.sets {
      let members = Self.addresses.filter { _ in numbers.below(2) == 0 }
      ruleset.sets.append(
        NamedSet(name: "s\(set)", family: .v4, kind: .addresses, members: members.map { .init(CIDR($0)) }))
    }
    var chains = (0..<Self.shared).map { number in Chain(name: "shared\(number)", rules: rules(3, about: nil)) }
    ruleset.keyedSets = [
      KeyedSet(
        name: "v", family: .v4, fields: [.address, .port], content: .verdicts,
        elements: (Self.addresses + [IPAddress(v4: 0x0b00_0001)]).flatMap { address in
          Self.ports.filter { _ in numbers.below(3) == 0 }.map { port in
            let chain = numbers.below(Self.shared)
            return .init([address.bits, UInt128(port)], .verdict(chain == 0 ? .drop : .goto("shared\(chain)")))
          }
        })
    ]
    let templates = (0..<2).map { _ in rules(4, about: Self.addresses.first) }
    var dispatch: [[Rule]] = []
    for address in Self.addresses {
      let name = "about\(address)"
      let template = templates[numbers.below(2)]
      chains.append(Chain(name: name, rules: template.map { $0.about(address) }))
      let sides: [Side] = numbers.below(5) == 0 ? [.source] : [.destination, .source]
      dispatch.append(sides.map { Rule([.address($0, CIDR(address))], [.jump(name)]) })
      if numbers.below(6) == 0 { dispatch.append(rules(1, about: nil)) }
    }
    var jumps = dispatch.flatMap(\.self)
    // Mix rules of different addresses.
    if numbers.below(4) == 0 { jumps.swapAt(numbers.below(jumps.count), numbers.below(jumps.count)) }
    chains.append(Chain(name: "dispatch", rules: jumps + rules(1, about: nil)))
    let base = { (rules: [Rule], hook: Hook, drops: Bool) in
      Chain(name: "\(hook)", base: Chain.Base(hook, policy: drops ? .drop : .accept), rules: rules)
    }
    chains.append(base(rules(1, about: nil), .prerouting, false))
    chains.append(base([Rule([], [.jump("dispatch")])] + rules(2, about: nil), .forward, numbers.below(3) == 0))
    ruleset.tables = [Table(name: "filter", family: .v4, chains: chains)]
  }

  /// Rules of the shared chains contain no jumps.
  private mutating func rules(_ count: Int, about address: IPAddress?) -> [Rule] {
    (0..<count).map { _ in
      Rule((0...numbers.below(2)).map { _ in match(about: address) }, [statement(jumps: address != nil)])
    }
  }

  private mutating func match(about address: IPAddress?) -> Match {
    let side = Side.allCases[numbers.below(2)]
    switch numbers.below(address == nil ? 5 : 7) {
    case 0: return .bridged
    case 1: return .port(.tcp, PortRange(Self.ports[numbers.below(3)]))
    case 2: return .mark(Mark(UInt32(numbers.below(4)), mask: 3), negated: numbers.below(2) == 0)
    case 3, 4: return .inSet(side, "s\(numbers.below(Self.sets))", negated: numbers.below(3) == 0)
    default: return .address(side, CIDR(address ?? Self.addresses[0]))
    }
  }

  private mutating func statement(jumps: Bool) -> Statement {
    switch numbers.below(jumps ? 10 : 5) {
    case 0: .drop
    case 1: .accept
    case 2: .return
    case 3, 4: .setMark(Mark(UInt32(numbers.below(4)), mask: 3))
    case 5: .goto("shared\(numbers.below(Self.shared))")
    case 6: .verdictFrom([.address(.destination), .port], map: "v")
    default: .jump("shared\(numbers.below(Self.shared))")
    }
  }
}

extension Rule {
  /// The rule with this address instead of the one that it names.
  fileprivate func about(_ address: IPAddress) -> Rule {
    Rule(
      matches.map { match in
        if case .address(let side, _, let negated) = match {
          .address(side, CIDR(address), negated: negated)
        } else {
          match
        }
      }, statements)
  }
}
