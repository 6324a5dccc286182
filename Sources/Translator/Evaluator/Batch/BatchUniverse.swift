internal import NetpolModel
internal import RuleIR

/// The addresses and ports that a batch asks about, by number.
struct BatchUniverse {
  let family: IPFamily
  let addresses: [IPAddress]
  let ports: PortIntervals
  private let numbers: [IPAddress: Int]
  /// In the order of addresses.
  private let ordered: [(bits: UInt128, number: Int)]

  /// `addresses` are of one family, none of them twice.
  init(_ family: IPFamily, addresses: [IPAddress], ports: PortIntervals) {
    self.family = family
    self.addresses = addresses
    self.ports = ports
    numbers = Dictionary(addresses.enumerated().map { ($1, $0) }) { first, _ in first }
    ordered = addresses.enumerated().map { ($1.bits, $0) }.sorted { $0.0 < $1.0 }
  }

  func number(of address: IPAddress) -> Int? { numbers[address] }

  func numbers(from first: UInt128, through last: UInt128) -> [Int] {
    var (low, high) = (0, ordered.count)
    while low < high {
      let middle = (low + high) / 2
      if ordered[middle].bits < first { low = middle + 1 } else { high = middle }
    }
    return ordered[low...].prefix { $0.bits <= last }.map(\.number)
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

  /// Addresses whose field of the element's key has their value.
  func addresses(_ side: Side, in element: KeyedSet.Element, of question: KeyedQuestion) -> [Int] {
    guard let place = question.fields.firstIndex(of: .address(side)) else { return [] }
    let first = element.key[place]
    if place == question.fields.count - 1, let last = element.through { return numbers(from: first, through: last) }
    return numbers[IPAddress(family: family, bits: first)].map { [$0] } ?? []
  }

  /// Intervals of ports whose transport and port the element has, as far as its key has such fields.
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
  /// The transports that an element's key is for: all where it has no such field.
  func transports(in element: KeyedSet.Element) -> [Transport] {
    guard let place = fields.firstIndex(of: .transport) else { return Transport.allCases }
    let last = place == fields.count - 1 ? element.through ?? element.key[place] : element.key[place]
    return Transport.allCases.filter { element.key[place] <= UInt128($0.number) && UInt128($0.number) <= last }
  }

  /// The ports that an element's key is for; nil where it has no such field.
  func portRange(in element: KeyedSet.Element) -> PortRange? {
    guard let place = fields.firstIndex(of: .port) else { return nil }
    let first = element.key[place]
    let last = place == fields.count - 1 ? element.through ?? first : first
    guard first <= last, first <= 0xffff else { return PortRange(1, 0) }
    return PortRange(UInt16(first), UInt16(min(last, 0xffff)))
  }
}
