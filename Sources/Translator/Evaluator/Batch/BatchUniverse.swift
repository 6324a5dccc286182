internal import Algorithms
internal import NetpolModel
internal import RuleIR

/// The addresses and ports that a batch asks about, with their numbers.
struct BatchUniverse {
  let family: IPFamily
  let addresses: [IPAddress]
  let ports: PortIntervals
  private let numbers: [IPAddress: Int]
  /// Sorted by address.
  private let ordered: [(bits: UInt128, number: Int)]

  /// `addresses` must be of one family and without duplicates.
  init(_ family: IPFamily, addresses: [IPAddress], ports: PortIntervals) {
    self.family = family
    self.addresses = addresses
    self.ports = ports
    numbers = Dictionary(addresses.enumerated().map { ($1, $0) }) { first, _ in first }
    ordered = addresses.enumerated().map { ($1.bits, $0) }.sorted { $0.0 < $1.0 }
  }

  func number(of address: IPAddress) -> Int? { numbers[address] }

  func numbers(from first: UInt128, through last: UInt128) -> [Int] {
    ordered[ordered.partitioningIndex { $0.bits >= first }...].prefix { $0.bits <= last }.map(\.number)
  }

  func numbers(in cidr: CIDR) -> [Int] {
    cidr.family == family ? numbers(from: cidr.firstAddress.bits, through: cidr.lastAddress.bits) : []
  }

  /// A first packet with these values.
  func packet(_ packet: BatchPacket, mark: UInt32) -> Packet {
    let port = ports.representatives[packet.port]
    return Packet(
      from: addresses[packet.source], to: addresses[packet.destination],
      .transport(port.transport, source: 40000, destination: port.port), mark: mark, isBridged: packet.facts & 1 == 1)
  }

  /// Returns the addresses that match the element's key in the field of this side.
  func addresses(_ side: Side, in element: KeyedSet.Element, of question: KeyedQuestion) -> [Int] {
    guard let place = question.fields.firstIndex(of: .address(side)) else { return [] }
    let first = element.key[place]
    if place == question.fields.count - 1, let last = element.through { return numbers(from: first, through: last) }
    return numbers[IPAddress(family: family, bits: first)].map { [$0] } ?? []
  }

  /// Returns the port intervals that match the element's transport and port, as far as its key has these fields.
  func ports(in element: KeyedSet.Element, of question: KeyedQuestion) -> [Int] {
    let transports = question.transports(in: element)
    guard let range = question.portRange(in: element) else {
      return ports.representatives.indices.filter { transports.contains(ports.representatives[$0].transport) }
    }
    if range.first > range.last { return [] }
    return transports.flatMap { transport in
      Array(ports.number(transport, range.first)...ports.number(transport, range.last))
    }
  }
}

extension KeyedQuestion {
  /// The transports that an element's key covers. All if the key has no such field.
  func transports(in element: KeyedSet.Element) -> [Transport] {
    guard let place = fields.firstIndex(of: .transport) else { return Transport.allCases }
    let last = place == fields.count - 1 ? element.through ?? element.key[place] : element.key[place]
    return Transport.allCases.filter { element.key[place] <= UInt128($0.number) && UInt128($0.number) <= last }
  }

  /// The ports that an element's key covers, or `nil` if the key has no such field.
  func portRange(in element: KeyedSet.Element) -> PortRange? {
    guard let place = fields.firstIndex(of: .port) else { return nil }
    let first = element.key[place]
    let last = place == fields.count - 1 ? element.through ?? first : first
    guard first <= last, first <= 0xffff else { return PortRange(1, 0) }
    return PortRange(UInt16(first), UInt16(min(last, 0xffff)))
  }
}
