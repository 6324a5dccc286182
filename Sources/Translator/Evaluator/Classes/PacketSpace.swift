public import NetpolModel
internal import RuleIR

/// All first packets of one family between some addresses: a source, a destination, and a question, which is an
/// interval
/// of ports that nothing tells apart, or an echo request. Sources and destinations have the same numbers.
public struct PacketSpace: Sendable {
  let universe: BatchUniverse

  /// `addresses` must be of one family and without duplicates. `ranges`: port ranges whose borders divide the
  /// intervals.
  public init(
    _ family: IPFamily, addresses: [IPAddress],
    dividedBy ranges: some Sequence<(transport: Transport, range: PortRange)>
  ) {
    universe = BatchUniverse(family, addresses: addresses, ports: PortIntervals(dividedBy: ranges))
  }

  public var family: IPFamily { universe.family }
  public var addresses: [IPAddress] { universe.addresses }
  public var ports: PortIntervals { universe.ports }
  /// The number of an address, if it is part of the space.
  public func number(of address: IPAddress) -> Int? { universe.number(of: address) }
  /// Echo requests have the last number.
  public var echo: Int { universe.ports.count }
  public var questionCount: Int { universe.ports.count + 1 }

  public func number(of question: Flow.Question) -> Int {
    switch question {
    case .port(let port): universe.ports.number(port.transport, port.port)
    case .echo: echo
    }
  }

  /// The questions that are ports of a transport, in the ranges.
  func questions(_ transport: Transport, in ranges: [PortRange]) -> Bits {
    var bits = Bits(count: questionCount)
    for range in ranges where range.first <= range.last {
      for number in ports.number(transport, range.first)...ports.number(transport, range.last) { bits.insert(number) }
    }
    return bits
  }

  func addresses(in cidrs: [CIDR]) -> Bits {
    Bits(cidrs.lazy.flatMap { universe.numbers(in: $0) }, count: addresses.count)
  }
}

extension Evaluator {
  /// The borders of port ranges that its rules and sets of a family name.
  public func portBorders(_ family: IPFamily) -> [(transport: Transport, range: PortRange)] { dividingPorts(family) }
}
