internal import Kernel
internal import NetpolModel
internal import Rendering
internal import RuleIR

/// The expressions of one rule, in the form in which nft writes them: nft can't list other forms.
struct NftRuleWriter {
  let family: IPFamily
  let sets: [SetName: NftSet]
  private(set) var expressions: [NftExpression] = []
  /// The transport protocol that the rule has matched so far. A second match on it is left out.
  private var asked: UInt8?

  init(family: IPFamily, sets: [SetName: NftSet]) {
    self.family = family
    self.sets = sets
  }

  mutating func append(_ match: Match) throws {
    switch match {
    case .address(let side, let cidr, let negated): address(side, cidr, negated ? .notEqual : .equal)
    case .inSet(let side, let name, let negated):
      loadAddress(side, length: width)
      // If no set has this name, the kernel refuses the rule.
      expressions.append(.lookup(set: name, id: sets[name]?.id ?? 0, negated: negated))
    case .addresses(_, let cidrs, _):
      // They are written as a set.
      throw Unsupported("a match on \(cidrs.count) networks", in: "nft")
    case .translated:
      // IPS_DST_NAT, linux/netfilter/nf_conntrack_common.h.
      expressions += [.connectionStatus, .masked(0x20), .compare(.notEqual, UInt32(0))]
    case .keyed(let fields, let name):
      loadKey(fields, of: sets[name])
      expressions.append(.lookup(set: name, id: sets[name]?.id ?? 0, negated: false))
    case .transport(let transport): ask(transport.number)
    case .port(let transport, let range): port(transport, range, asRange: range.first != range.last)
    case .multiport(let transport, let ranges):
      // Several ranges are written as a set.
      guard ranges.count == 1 else { throw Unsupported("a match on no ports", in: "nft") }
      port(transport, ranges[0], asRange: true)
    case .icmpType(let type):
      ask(family == .v4 ? 1 : 58)
      expressions += [.payload(.transport, offset: 0, length: 1), .compare(.equal, [type])]
    case .conntrack(let states):
      expressions += [
        .connectionState, .masked(states.reduce(0) { $0 | $1.bit }), .compare(.notEqual, UInt32(0)),
      ]
    case .sourcePort: throw Unsupported("a match on the source port", in: "nft")
    case .bridged: throw Unsupported("a match on bridged packets", in: "nft")
    case .local(let side):
      // RTN_LOCAL, linux/rtnetlink.h.
      expressions += [.routeType(source: side == .source), .compare(.equal, UInt32(2))]
    case .mark(let mark, let negated) where mark.mask == .max:
      expressions += [.meta(.mark), .compare(negated ? .notEqual : .equal, mark.value)]
    case .mark(let mark, let negated):
      expressions += [.meta(.mark), .masked(mark.mask), .compare(negated ? .notEqual : .equal, mark.value)]
    case .limit(let limit):
      expressions.append(
        .limit(rate: UInt64(limit.rate), seconds: UInt64(limit.unit.seconds), burst: UInt32(limit.burst)))
    case .random: throw Unsupported("a random match", in: "nft")
    case .codePoint(let point):
      // The upper six bits of the second byte, or the six bits behind the first four.
      expressions +=
        family == .v4
        ? [
          .payload(.network, offset: 1, length: 1), .bitwise(mask: [0xfc], xor: [0]), .compare(.equal, [point << 2]),
        ]
        : [
          .payload(.network, offset: 0, length: 2), .bitwise(mask: [0x0f, 0xc0], xor: [0, 0]),
          .compare(.equal, [point >> 2, point << 6]),
        ]
    }
  }

  mutating func ports(_ transport: Transport, in set: NftSet) {
    ask(transport.number)
    expressions += [Self.destinationPort, .lookup(set: set.name, id: set.id, negated: false)]
  }

  mutating func addresses(_ side: Side, in set: NftSet, negated: Bool) {
    loadAddress(side, length: width)
    expressions.append(.lookup(set: set.name, id: set.id, negated: negated))
  }

  /// A random choice among the numbers of a map.
  mutating func choose(_ modulus: Int, in map: NftSet) {
    expressions.append(.random(modulus: UInt32(clamping: modulus)))
    if map.data == .verdict {
      expressions.append(.verdictFrom(map: map.name, id: map.id))
    } else {
      expressions += [.translate(map: map.name, id: map.id), .dnatJoined(family.netlink)]
    }
  }

  mutating func append(_ statement: Statement) throws {
    switch statement {
    case .counter: expressions.append(.counter)
    case .setMark(let mark) where mark.mask == .max: expressions += [.constant(mark.value), .setMark]
    case .setMarkFrom(let fields, let map):
      loadKey(fields, of: sets[map])
      expressions += [.translate(map: map, id: sets[map]?.id ?? 0), .setMark]
    case .setMark(let mark): expressions += [.meta(.mark), .masked(~mark.mask, xor: mark.value), .setMark]
    case .notrack: throw Unsupported("notrack", in: "nft")
    case .log(let group, let prefix):
      expressions.append(.log(group: group, prefix: prefix.map { $0.filter { $0 != "\"" } }))
    case .jump(let chain): expressions.append(.verdict(.jump(chain)))
    case .goto(let chain): expressions.append(.verdict(.goto(chain)))
    case .verdictFrom(let fields, let map):
      loadKey(fields, of: sets[map])
      expressions.append(.verdictFrom(map: map, id: sets[map]?.id ?? 0))
    // They are written as a map.
    case .gotoRandomly, .dnatRandomly: throw Unsupported("a random choice among nothing", in: "nft")
    case .return: expressions.append(.verdict(.return))
    case .accept: expressions.append(.verdict(.accept))
    case .drop: expressions.append(.verdict(.drop))
    case .reject(.portUnreachable): expressions.append(.reject(.unreachable(code: family == .v4 ? 3 : 4)))
    case .reject(.tcpReset):
      // Only TCP can be reset, so nft matches TCP first of all.
      if asked == nil {
        expressions.insert(contentsOf: Self.question(Transport.tcp.number), at: 0)
        asked = Transport.tcp.number
      }
      expressions.append(.reject(.tcpReset))
    case .dnat(let address, let port):
      expressions.append(.address(address.bytes))
      if let port { expressions.append(.destinationPort(port)) }
      expressions.append(.dnat(family.netlink, withPort: port != nil))
    case .masquerade(let randomFully): expressions.append(.masquerade(randomFully: randomFully))
    }
  }

  private static let destinationPort = NftExpression.payload(.transport, offset: 2, length: 2)

  private static func question(_ transport: UInt8) -> [NftExpression] {
    [.meta(.transportProtocol), .compare(.equal, [transport])]
  }

  private mutating func ask(_ transport: UInt8) {
    if asked == transport { return }
    asked = transport
    expressions += Self.question(transport)
  }

  private mutating func port(_ transport: Transport, _ range: PortRange, asRange: Bool) {
    ask(transport.number)
    expressions.append(Self.destinationPort)
    expressions +=
      asRange
      ? [.compare(.atLeast, range.first.networkBytes), .compare(.atMost, range.last.networkBytes)]
      : [.compare(.equal, range.first.networkBytes)]
  }

  private var width: Int { family == .v4 ? 4 : 16 }

  /// Source and destination address are at offsets 12 and 16 of an IPv4 header, 8 and 24 of an IPv6 header.
  private mutating func loadAddress(_ side: Side, length: Int, into register: NftExpression.Register = .first) {
    let offset: UInt32 = family == .v4 ? (side == .source ? 12 : 16) : (side == .source ? 8 : 24)
    expressions.append(.payload(.network, offset: offset, length: UInt32(length), into: register))
  }

  /// Loads the fields of a key one after the other. Interval sets have numbers in network order.
  private mutating func loadKey(_ fields: [PacketField], of set: NftSet?) {
    let isInterval = set?.isInterval ?? false
    var word = 0
    for field in fields {
      let register = NftExpression.Register.word(word)
      switch field {
      case .mark:
        expressions.append(.meta(.mark, into: register))
        if isInterval { expressions.append(.networkOrder(register, length: 4, size: 4)) }
      case .address(let side): loadAddress(side, length: width, into: register)
      case .transport:
        expressions.append(.meta(.transportProtocol, into: register))
        // One byte has no byte order, but nft writes this and can't list a rule without it.
        if isInterval { expressions.append(.networkOrder(register, length: 1, size: 2)) }
      case .port: expressions.append(.payload(.transport, offset: 2, length: 2, into: register))
      }
      word += field.type.netlink(family).paddedLength / 4
    }
  }

  private mutating func address(_ side: Side, _ cidr: CIDR, _ comparison: NftExpression.Comparison) {
    let bytes = cidr.network.bytes
    if cidr.prefixLength > 0, cidr.prefixLength % 8 == 0 {
      // A prefix of whole bytes is compared by those bytes alone.
      loadAddress(side, length: cidr.prefixLength / 8)
      expressions.append(.compare(comparison, Array(bytes.prefix(cidr.prefixLength / 8))))
      return
    }
    loadAddress(side, length: width)
    let mask = zip(cidr.firstAddress.bytes, cidr.lastAddress.bytes).map { ~($0 ^ $1) }
    expressions += [.bitwise(mask: mask, xor: bytes.map { _ in 0 }), .compare(comparison, bytes)]
  }
}

extension ConntrackState {
  /// NF_CT_STATE_INVALID_BIT, NF_CT_STATE_BIT (linux/netfilter/nf_conntrack_common.h).
  fileprivate var bit: UInt32 {
    switch self {
    case .invalid: 1
    case .established: 2
    case .related: 4
    case .new: 8
    // NF_CT_STATE_UNTRACKED_BIT.
    case .untracked: 64
    }
  }
}
