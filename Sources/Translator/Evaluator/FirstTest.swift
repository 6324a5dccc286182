internal import NetpolModel
internal import RuleIR

/// One match of a rule in a form that is quick to try: most rules fail on it. It is a match of its own, so a rule that
/// passes it may still fail on others.
enum FirstTest: Hashable, Sendable {
  case none
  case address(Side, mask: UInt128, network: UInt128, negated: Bool)
  case port(Transport, first: UInt16, last: UInt16)
  case mark(value: UInt32, mask: UInt32, negated: Bool)

  /// A match on a single address or a port fails most often.
  init(_ matches: [PreparedMatch]) {
    self = matches.lazy.map(Self.init).max { $0.strength < $1.strength } ?? .none
  }

  private init(_ match: PreparedMatch) {
    self =
      switch match {
      case .address(let side, let cidr, let negated):
        .address(side, mask: cidr.mask, network: cidr.network.bits, negated: negated)
      case .ports(let transport, let ranges):
        ranges.count == 1 ? .port(transport, first: ranges[0].first, last: ranges[0].last) : .none
      case .mark(let mark, let negated): .mark(value: mark.value, mask: mark.mask, negated: negated)
      default: .none
      }
  }

  private var strength: Int {
    switch self {
    case .none: 0
    case .mark: 1
    case .port: 2
    case .address(_, let mask, _, let negated): negated ? 1 : 3 + mask.nonzeroBitCount
    }
  }

  /// The packet must be of the family of the rule's table.
  @inline(__always)
  func holds(_ packet: FirstTested) -> Bool {
    switch self {
    case .none: true
    case .address(let side, let mask, let network, let negated):
      ((side == .source ? packet.source : packet.destination) & mask == network) != negated
    case .port(let transport, let first, let last):
      packet.transport == transport && first <= packet.port && packet.port <= last
    case .mark(let value, let mask, let negated): ((packet.mark & mask) == value) != negated
    }
  }
}

/// What of a packet first tests look at.
struct FirstTested {
  let source, destination: UInt128
  let transport: Transport?
  let port: UInt16
  let mark: UInt32

  init(_ packet: Packet) {
    source = packet.source.bits
    destination = packet.destination.bits
    if case .transport(let transport, _, let port) = packet.payload {
      self.transport = transport
      self.port = port
    } else {
      transport = nil
      port = 0
    }
    mark = packet.mark
  }
}

extension [FirstTest] {
  /// The first rule from `index` on whose test holds. Their number if there is none.
  func next(from index: Int, _ packet: FirstTested) -> Int {
    withUnsafeBufferPointer { tests in
      var index = index
      while index < tests.count, !tests[index].holds(packet) { index += 1 }
      return index
    }
  }
}
