public import NetpolModel
internal import RuleIR

/// What the rules and sets of a family name, and so tell apart.
public struct RuleBorders: Sendable {
  private struct Ports: Hashable {
    let transport: Transport
    let range: PortRange
  }
  private var ranges: Set<Ports> = []
  private var icmpTypes: Set<UInt8> = []
  /// Numbers of IP protocols that keyed sets name.
  private var protocols: Set<UInt8> = []
  /// Networks and single addresses.
  public private(set) var networks: Set<CIDR> = []
  private let family: IPFamily

  /// Those of several nodes.
  public init(_ evaluators: some Sequence<Evaluator>, _ family: IPFamily) {
    self.family = family
    let evaluators = Array(evaluators)
    var known: Set<Int> = []
    for set in evaluators.lazy.flatMap(\.sets) where known.insert(set.number).inserted {
      networks.formUnion(set.networks.lazy.filter { $0.family == family })
    }
    for one in concurrentMap(evaluators.count, { RuleBorders(rulesOf: evaluators[$0], family) }) {
      ranges.formUnion(one.ranges)
      icmpTypes.formUnion(one.icmpTypes)
      protocols.formUnion(one.protocols)
      networks.formUnion(one.networks)
    }
  }

  private init(rulesOf evaluator: Evaluator, _ family: IPFamily) {
    self.family = family
    var questions: Set<KeyedQuestion> = []
    var addresses: Set<CIDR> = Set(evaluator.localAddresses.map { CIDR($0) })
    for table in evaluator.tables where table.family == family {
      for chain in table.chains {
        // Copies of rules would cost more than looking at them.
        chain.rules.withUnsafeBufferPointer { rules in
          for index in rules.indices {
            for match in rules[index].matches {
              switch match {
              case .ports(let transport, let list):
                for range in list { ranges.insert(Ports(transport: transport, range: range)) }
              case .icmpType(let type): icmpTypes.insert(type)
              case .address(_, let cidr, _): addresses.insert(cidr)
              case .addresses(_, let cidrs, _): addresses.formUnion(cidrs)
              case .keyed(let fields, let set): questions.insert(KeyedQuestion(fields: fields, set: set))
              default: break
              }
            }
            for statement in rules[index].statements {
              switch statement {
              case .setMarkFrom(let fields, let map), .verdictFrom(let fields, let map):
                questions.insert(KeyedQuestion(fields: fields, set: map))
              case .dnat(let address, _): addresses.insert(CIDR(address))
              default: break
              }
            }
          }
        }
      }
    }
    for question in questions {
      let set = evaluator.keyedSets[question.set]
      protocols.formUnion(question.protocols(set))
      for element in set.elements {
        if question.asksPort, let range = question.portRange(in: element) {
          for transport in question.transports(in: element) {
            ranges.insert(Ports(transport: transport, range: range))
          }
        }
        if question.asksSource || question.asksDestination {
          addresses.formUnion(question.networks(in: element, family))
        }
      }
    }
    networks = addresses.filter { $0.family == family }
  }

  public var ports: [(transport: Transport, range: PortRange)] { ranges.map { ($0.transport, $0.range) } }

  /// All packets without ports: each ICMP type and protocol that a rule names by itself, and the others together.
  public var portless: [Portless] {
    let echo = Portless.echo(family)
    let types = icmpTypes.subtracting(echo.icmpTypes).sorted()
    let withPorts = Set(Transport.allCases.map(\.number))
    let icmp: UInt8 = family == .v4 ? 1 : 58
    let named = protocols.subtracting(withPorts).subtracting([icmp]).sorted()
    let otherTypes = Set(0...UInt8.max).subtracting(types).subtracting(echo.icmpTypes)
    let otherProtocols = Set(0...UInt8.max).subtracting(named).subtracting(withPorts).subtracting([icmp])
    return [echo] + types.map { Portless(icmpTypes: [$0]) } + [Portless(icmpTypes: otherTypes)]
      + named.map { Portless(protocols: [$0]) } + [Portless(protocols: otherProtocols)]
  }
}

extension KeyedQuestion {
  /// Numbers of IP protocols that some element names.
  fileprivate func protocols(_ set: PreparedKeyedSet) -> Set<UInt8> {
    guard let place = fields.firstIndex(of: .transport) else { return [] }
    return Set(
      set.elements.flatMap { element -> [UInt8] in
        let first = element.key[place]
        let last = place == fields.count - 1 ? element.through ?? first : first
        return first <= last && last <= 255 ? (first...last).map { UInt8($0) } : []
      })
  }

  /// The networks that an element's addresses are in.
  fileprivate func networks(in element: KeyedSet.Element, _ family: IPFamily) -> [CIDR] {
    fields.indices.flatMap { place -> [CIDR] in
      guard case .address = fields[place] else { return [] }
      let first = element.key[place]
      let last = place == fields.count - 1 ? element.through ?? first : first
      return CIDR.networks(
        from: IPAddress(family: family, bits: first), through: IPAddress(family: family, bits: last))
    }
  }
}
