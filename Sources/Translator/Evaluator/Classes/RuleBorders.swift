public import NetpolModel
internal import RuleIR

extension Evaluator {
  /// Every ICMP type that its rules name, and every number of a protocol without ports that its keyed sets name.
  public func namedPortless(_ family: IPFamily) -> (icmpTypes: Set<UInt8>, protocols: Set<UInt8>) {
    var types: Set<UInt8> = []
    var protocols: Set<UInt8> = []
    for rule in tables.lazy.filter({ $0.family == family }).flatMap(\.chains).flatMap(\.rules) {
      for match in rule.matches {
        if case .icmpType(let type) = match { types.insert(type) }
        if case .keyed(let fields, let set) = match {
          protocols.formUnion(KeyedQuestion(fields: fields, set: set).protocols(keyedSets[set]))
        }
      }
      for statement in rule.statements {
        switch statement {
        case .setMarkFrom(let fields, let map), .verdictFrom(let fields, let map):
          protocols.formUnion(KeyedQuestion(fields: fields, set: map).protocols(keyedSets[map]))
        default: break
        }
      }
    }
    return (types, protocols)
  }

  /// All packets without ports: each ICMP type and protocol that a rule names by itself, and the others together.
  public static func portless(_ evaluators: some Sequence<Evaluator>, _ family: IPFamily) -> [Portless] {
    let named = evaluators.reduce(into: (types: Set<UInt8>(), protocols: Set<UInt8>())) { named, evaluator in
      let own = evaluator.namedPortless(family)
      named.types.formUnion(own.icmpTypes)
      named.protocols.formUnion(own.protocols)
    }
    let echo = Portless.echo(family)
    let types = named.types.subtracting(echo.icmpTypes).sorted()
    let withPorts = Set(Transport.allCases.map(\.number))
    let icmp: UInt8 = family == .v4 ? 1 : 58
    let protocols = named.protocols.subtracting(withPorts).subtracting([icmp]).sorted()
    let otherTypes = Set(0...UInt8.max).subtracting(types).subtracting(echo.icmpTypes)
    let otherProtocols = Set(0...UInt8.max).subtracting(protocols).subtracting(withPorts).subtracting([icmp])
    return [echo] + types.map { Portless(icmpTypes: [$0]) } + [Portless(icmpTypes: otherTypes)]
      + protocols.map { Portless(protocols: [$0]) } + [Portless(protocols: otherProtocols)]
  }

  /// The networks and single addresses that the rules and sets of several nodes name.
  public static func networks(_ evaluators: some Sequence<Evaluator>, _ family: IPFamily) -> Set<CIDR> {
    var found: Set<CIDR> = []
    var known: Set<Int> = []
    for evaluator in evaluators {
      for set in evaluator.sets where known.insert(set.number).inserted {
        for network in set.networks where network.family == family { found.insert(network) }
      }
      for address in evaluator.localAddresses where address.family == family { found.insert(CIDR(address)) }
      var questions: Set<KeyedQuestion> = []
      for rule in evaluator.tables.lazy.filter({ $0.family == family }).flatMap(\.chains).flatMap(\.rules) {
        for match in rule.matches {
          switch match {
          case .address(_, let cidr, _): found.insert(cidr)
          case .addresses(_, let cidrs, _): found.formUnion(cidrs)
          case .keyed(let fields, let set): questions.insert(KeyedQuestion(fields: fields, set: set))
          default: break
          }
        }
        for statement in rule.statements {
          switch statement {
          case .setMarkFrom(let fields, let map), .verdictFrom(let fields, let map):
            questions.insert(KeyedQuestion(fields: fields, set: map))
          case .dnat(let address, _): found.insert(CIDR(address))
          default: break
          }
        }
      }
      for question in questions where question.asksSource || question.asksDestination {
        for element in evaluator.keyedSets[question.set].elements {
          found.formUnion(question.networks(in: element, family))
        }
      }
    }
    return found.filter { $0.family == family }
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

extension Evaluator {
  /// The borders of port ranges that its rules and sets of a family name.
  public func portBorders(_ family: IPFamily) -> [(transport: Transport, range: PortRange)] { dividingPorts(family) }
}
