/// The port space of each transport, split at every start and end of the given ranges. All ports of one interval are in
/// the same ranges.
public struct PortIntervals: Sendable {
  /// The first port of each interval, in order of interval number.
  public let representatives: [TransportPort]
  /// The interval number of each port: 65,536 entries per transport.
  private let numbers: [UInt32]

  public init(dividedBy ranges: some Sequence<(transport: Transport, range: PortRange)>) {
    var starts: [Transport: Set<Int>] = [:]
    for (transport, range) in ranges where range.first <= range.last {
      starts[transport, default: []].formUnion([Int(range.first), Int(range.last) + 1])
    }
    var representatives: [TransportPort] = []
    var numbers: [UInt32] = []
    for transport in Transport.allCases {
      let starts = (starts[transport] ?? []).union([0, 65_536]).sorted()
      for (first, next) in zip(starts, starts.dropFirst()) {
        numbers.append(contentsOf: repeatElement(UInt32(representatives.count), count: next - first))
        representatives.append(TransportPort(transport, UInt16(first)))
      }
    }
    self.representatives = representatives
    self.numbers = numbers
  }

  public var count: Int { representatives.count }

  /// The interval number of a port.
  public func number(_ transport: Transport, _ port: UInt16) -> Int {
    Int(numbers[transport.ordinal << 16 | Int(port)])
  }
}

extension Transport {
  /// The index in `allCases`.
  fileprivate var ordinal: Int {
    switch self {
    case .tcp: 0
    case .udp: 1
    case .sctp: 2
    }
  }
}
