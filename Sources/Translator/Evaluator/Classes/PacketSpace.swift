public import NetpolModel
internal import RuleIR

/// All packets of one family between some addresses: a source, a destination, and a question, which is an interval of
/// ports that nothing tells apart, or a protocol without ports. Sources and destinations have the same numbers.
public struct PacketSpace: Sendable {
  let universe: BatchUniverse
  /// The protocols without ports: echo requests first.
  public let portless: [Portless]

  /// `addresses` must be of one family and without duplicates. `ranges`: port ranges whose borders divide the
  /// intervals. `portless`: what is asked besides ports. It begins with echo requests.
  public init(
    _ family: IPFamily, addresses: [IPAddress],
    dividedBy ranges: some Sequence<(transport: Transport, range: PortRange)>, portless: [Portless]? = nil
  ) {
    universe = BatchUniverse(family, addresses: addresses, ports: PortIntervals(dividedBy: ranges))
    self.portless = portless ?? [.echo(family)]
  }

  public var family: IPFamily { universe.family }
  public var addresses: [IPAddress] { universe.addresses }
  public var ports: PortIntervals { universe.ports }
  /// The number of an address, if it is part of the space.
  public func number(of address: IPAddress) -> Int? { universe.number(of: address) }
  /// The number of echo requests: the first after those of ports.
  public var echo: Int { universe.ports.count }
  public var questionCount: Int { universe.ports.count + portless.count }

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

  /// By question: how many ports, ICMP types or protocols it has.
  public var portCounts: [Double] {
    let ports = universe.ports.representatives
    let counts = ports.indices.map { index -> Double in
      let next =
        index + 1 < ports.count && ports[index + 1].transport == ports[index].transport
        ? Int(ports[index + 1].port) : 65_536
      return Double(next - Int(ports[index].port))
    }
    return counts + portless.map { Double($0.icmpTypes.count + $0.protocols.count) }
  }

  /// The question that holds an ICMP type, if the space has one.
  func question(ofICMP type: UInt8) -> Int? {
    portless.firstIndex { $0.icmpTypes.contains(type) }.map { echo + $0 }
  }

  /// A packet of the question, from source port 40000.
  public func payload(_ question: Int) -> Packet.Payload {
    if question < echo {
      let port = ports.representatives[question]
      return .transport(port.transport, source: 40000, destination: port.port)
    }
    return portless[question - echo].payload
  }

  func addresses(in cidrs: [CIDR]) -> Bits {
    Bits(cidrs.lazy.flatMap { universe.numbers(in: $0) }, count: addresses.count)
  }
}
