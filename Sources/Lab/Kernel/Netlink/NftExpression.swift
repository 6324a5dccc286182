internal import CNftables

/// One step of an nf_tables rule (linux/netfilter/nf_tables.h). Values pass through register 1, except for the fields
/// of a concatenated key.
public enum NftExpression: Hashable, Sendable {
  public enum Comparison: UInt32, Hashable, Sendable {
    case equal = 0
    case notEqual = 1
    case atMost = 3
    case atLeast = 5
  }

  public enum Header: UInt32, Hashable, Sendable {
    case network = 1
    case transport = 2
  }

  public enum MetaKey: UInt32, Hashable, Sendable {
    case mark = 3
    case transportProtocol = 16
  }

  /// A register: register 1, or the n-th 32-bit word counted from its start.
  public struct Register: Hashable, Sendable {
    public let number: UInt32
    private init(number: UInt32) { self.number = number }
    public static let first = Register(number: UInt32(NFT_REG_1.rawValue))
    /// The words have register numbers of their own. The first one is register 1.
    public static func word(_ index: Int) -> Register {
      index == 0 ? .first : Register(number: UInt32(NFT_REG32_00.rawValue) + UInt32(index))
    }
  }

  public enum Verdict: Hashable, Sendable {
    case accept
    case drop
    case `return`
    case jump(String)
    case goto(String)

    /// NF_DROP and NF_ACCEPT of linux/netfilter.h are 0 and 1.
    var code: Int32 {
      switch self {
      case .drop: 0
      case .accept: 1
      case .jump: NFT_JUMP.rawValue
      case .goto: NFT_GOTO.rawValue
      case .return: NFT_RETURN.rawValue
      }
    }

    var chain: String? {
      switch self {
      case .jump(let chain), .goto(let chain): chain
      case .accept, .drop, .return: nil
      }
    }
  }

  public enum Rejection: Hashable, Sendable {
    /// An ICMP or ICMPv6 destination-unreachable of this code.
    case unreachable(code: UInt8)
    case tcpReset
  }

  case payload(Header, offset: UInt32, length: UInt32, into: Register = .first)
  case meta(MetaKey, into: Register = .first)
  case setMark
  /// The kernel tells every rule that the packet meets from now on to the listeners of NFNLGRP_NFTRACE.
  case setTrace
  /// register 1 = a value in host order
  case constant(UInt32)
  /// Converts the first `length` bytes of a register to network order, `size` bytes at a time.
  case networkOrder(Register, length: UInt32, size: UInt32)
  case connectionState
  /// The bits of a connection's status (`enum ip_conntrack_status`).
  case connectionStatus
  /// The type of the route to the packet's source or destination (RTN_*).
  case routeType(source: Bool)
  /// register = (register & mask) ^ xor
  case bitwise(mask: [UInt8], xor: [UInt8])
  case compare(Comparison, [UInt8])
  case lookup(set: String, id: UInt32, negated: Bool)
  /// register 1 = the map's value for the key that starts there. If the map lacks the key, the rule ends.
  case translate(map: String, id: UInt32)
  /// The map's verdict for the key that starts in register 1. If the map lacks the key, the rule ends.
  case verdictFrom(map: String, id: UInt32)
  /// register 1 = a random number below the modulus
  case random(modulus: UInt32)
  case limit(rate: UInt64, seconds: UInt64, burst: UInt32)
  case log(group: UInt16, prefix: String?)
  case counter
  case verdict(Verdict)
  case reject(Rejection)
  /// register 1 = an address, as it is in the header.
  case address([UInt8])
  /// register 2 = a port.
  case destinationPort(UInt16)
  /// The destination becomes the address in register 1 and, with a port, the port in register 2.
  case dnat(AddressFamily, withPort: Bool)
  /// The destination becomes the address and port that follow each other from register 1 on.
  case dnatJoined(AddressFamily)
  case masquerade(randomFully: Bool)

  /// register 1 = (register 1 & mask) ^ xor, with both values in host order.
  public static func masked(_ mask: UInt32, xor: UInt32 = 0) -> NftExpression {
    .bitwise(mask: hostOrder(mask), xor: hostOrder(xor))
  }

  public static func compare(_ comparison: Comparison, _ value: UInt32) -> NftExpression {
    .compare(comparison, hostOrder(value))
  }

  private static func hostOrder(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }

  /// Maximum bytes that the expression takes in a message.
  var encodedBound: Int {
    switch self {
    case .lookup(let set, _, _), .translate(let set, _), .verdictFrom(let set, _): 256 + set.utf8.count
    case .log(_, let prefix): 256 + (prefix?.utf8.count ?? 0)
    case .verdict(let verdict): 256 + (verdict.chain?.utf8.count ?? 0)
    default: 256
    }
  }

  private static let register = UInt32(NFT_REG_1.rawValue)

  func object() -> NftObject {
    switch self {
    case .payload(let header, let offset, let length, let register):
      let object = NftObject.expression("payload")
      object.set(number(NFTNL_EXPR_PAYLOAD_BASE), header.rawValue)
      object.set(number(NFTNL_EXPR_PAYLOAD_OFFSET), offset)
      object.set(number(NFTNL_EXPR_PAYLOAD_LEN), length)
      object.set(number(NFTNL_EXPR_PAYLOAD_DREG), register.number)
      return object
    case .meta(let key, let register):
      let object = NftObject.expression("meta")
      object.set(number(NFTNL_EXPR_META_KEY), key.rawValue)
      object.set(number(NFTNL_EXPR_META_DREG), register.number)
      return object
    case .setMark:
      let object = NftObject.expression("meta")
      object.set(number(NFTNL_EXPR_META_KEY), MetaKey.mark.rawValue)
      object.set(number(NFTNL_EXPR_META_SREG), Self.register)
      return object
    case .setTrace:
      let object = NftObject.expression("meta")
      object.set(number(NFTNL_EXPR_META_KEY), UInt32(NFT_META_NFTRACE.rawValue))
      object.set(number(NFTNL_EXPR_META_SREG), Self.register)
      return object
    case .constant(let value):
      let object = NftObject.expression("immediate")
      object.set(number(NFTNL_EXPR_IMM_DREG), Self.register)
      object.set(number(NFTNL_EXPR_IMM_DATA), bytes: Self.hostOrder(value))
      return object
    case .networkOrder(let register, let length, let size):
      let object = NftObject.expression("byteorder")
      object.set(number(NFTNL_EXPR_BYTEORDER_SREG), register.number)
      object.set(number(NFTNL_EXPR_BYTEORDER_DREG), register.number)
      object.set(number(NFTNL_EXPR_BYTEORDER_OP), UInt32(NFT_BYTEORDER_HTON.rawValue))
      object.set(number(NFTNL_EXPR_BYTEORDER_LEN), length)
      object.set(number(NFTNL_EXPR_BYTEORDER_SIZE), size)
      return object
    case .connectionState:
      let object = NftObject.expression("ct")
      object.set(number(NFTNL_EXPR_CT_KEY), UInt32(NFT_CT_STATE.rawValue))
      object.set(number(NFTNL_EXPR_CT_DREG), Self.register)
      return object
    case .connectionStatus:
      let object = NftObject.expression("ct")
      object.set(number(NFTNL_EXPR_CT_KEY), UInt32(NFT_CT_STATUS.rawValue))
      object.set(number(NFTNL_EXPR_CT_DREG), Self.register)
      return object
    case .verdictFrom(let map, let id):
      let object = NftObject.expression("lookup")
      object.set(number(NFTNL_EXPR_LOOKUP_SREG), Self.register)
      object.set(number(NFTNL_EXPR_LOOKUP_DREG), UInt32(NFT_REG_VERDICT.rawValue))
      object.set(number(NFTNL_EXPR_LOOKUP_SET), string: map)
      object.set(number(NFTNL_EXPR_LOOKUP_SET_ID), id)
      return object
    case .random(let modulus):
      let object = NftObject.expression("numgen")
      object.set(number(NFTNL_EXPR_NG_DREG), Self.register)
      object.set(number(NFTNL_EXPR_NG_MODULUS), modulus)
      object.set(number(NFTNL_EXPR_NG_TYPE), UInt32(NFT_NG_RANDOM.rawValue))
      object.set(number(NFTNL_EXPR_NG_OFFSET), UInt32(0))
      return object
    case .dnatJoined(let family):
      let object = NftObject.expression("nat")
      object.set(number(NFTNL_EXPR_NAT_TYPE), UInt32(NFT_NAT_DNAT.rawValue))
      object.set(number(NFTNL_EXPR_NAT_FAMILY), UInt32(family.number))
      object.set(number(NFTNL_EXPR_NAT_REG_ADDR_MIN), Self.register)
      // As nft 1.0.6 numbers it: the register behind a 16-byte address has two numbers.
      object.set(
        number(NFTNL_EXPR_NAT_REG_PROTO_MIN), family == .v4 ? Register.word(1).number : UInt32(NFT_REG_2.rawValue))
      return object
    case .routeType(let source):
      let object = NftObject.expression("fib")
      object.set(number(NFTNL_EXPR_FIB_DREG), Self.register)
      object.set(number(NFTNL_EXPR_FIB_RESULT), UInt32(NFT_FIB_RESULT_ADDRTYPE.rawValue))
      object.set(
        number(NFTNL_EXPR_FIB_FLAGS), UInt32(number(source ? NFTA_FIB_F_SADDR : NFTA_FIB_F_DADDR)))
      return object
    case .bitwise(let mask, let xor):
      let object = NftObject.expression("bitwise")
      object.set(number(NFTNL_EXPR_BITWISE_SREG), Self.register)
      object.set(number(NFTNL_EXPR_BITWISE_DREG), Self.register)
      object.set(number(NFTNL_EXPR_BITWISE_OP), UInt32(0))
      object.set(number(NFTNL_EXPR_BITWISE_LEN), UInt32(mask.count))
      object.set(number(NFTNL_EXPR_BITWISE_MASK), bytes: mask)
      object.set(number(NFTNL_EXPR_BITWISE_XOR), bytes: xor)
      return object
    case .compare(let comparison, let value):
      let object = NftObject.expression("cmp")
      object.set(number(NFTNL_EXPR_CMP_SREG), Self.register)
      object.set(number(NFTNL_EXPR_CMP_OP), comparison.rawValue)
      object.set(number(NFTNL_EXPR_CMP_DATA), bytes: value)
      return object
    case .lookup(let set, let id, let negated):
      let object = NftObject.expression("lookup")
      object.set(number(NFTNL_EXPR_LOOKUP_SREG), Self.register)
      object.set(number(NFTNL_EXPR_LOOKUP_SET), string: set)
      object.set(number(NFTNL_EXPR_LOOKUP_SET_ID), id)
      if negated { object.set(number(NFTNL_EXPR_LOOKUP_FLAGS), UInt32(number(NFT_LOOKUP_F_INV))) }
      return object
    case .translate(let map, let id):
      let object = NftObject.expression("lookup")
      object.set(number(NFTNL_EXPR_LOOKUP_SREG), Self.register)
      object.set(number(NFTNL_EXPR_LOOKUP_DREG), Self.register)
      object.set(number(NFTNL_EXPR_LOOKUP_SET), string: map)
      object.set(number(NFTNL_EXPR_LOOKUP_SET_ID), id)
      return object
    case .limit(let rate, let seconds, let burst):
      let object = NftObject.expression("limit")
      object.set(number(NFTNL_EXPR_LIMIT_RATE), rate)
      object.set(number(NFTNL_EXPR_LIMIT_UNIT), seconds)
      object.set(number(NFTNL_EXPR_LIMIT_BURST), burst)
      object.set(number(NFTNL_EXPR_LIMIT_TYPE), UInt32(NFT_LIMIT_PKTS.rawValue))
      object.set(number(NFTNL_EXPR_LIMIT_FLAGS), UInt32(0))
      return object
    case .log(let group, let prefix):
      let object = NftObject.expression("log")
      if let prefix { object.set(number(NFTNL_EXPR_LOG_PREFIX), string: prefix) }
      object.set(number(NFTNL_EXPR_LOG_GROUP), group)
      return object
    case .counter:
      return NftObject.expression("counter")
    case .verdict(let verdict):
      let object = NftObject.expression("immediate")
      object.set(number(NFTNL_EXPR_IMM_DREG), UInt32(NFT_REG_VERDICT.rawValue))
      object.set(number(NFTNL_EXPR_IMM_VERDICT), UInt32(bitPattern: verdict.code))
      if let chain = verdict.chain { object.set(number(NFTNL_EXPR_IMM_CHAIN), string: chain) }
      return object
    case .reject(let rejection):
      let object = NftObject.expression("reject")
      switch rejection {
      case .unreachable(let code):
        object.set(number(NFTNL_EXPR_REJECT_TYPE), UInt32(NFT_REJECT_ICMP_UNREACH.rawValue))
        object.set(number(NFTNL_EXPR_REJECT_CODE), code)
      case .tcpReset:
        object.set(number(NFTNL_EXPR_REJECT_TYPE), UInt32(NFT_REJECT_TCP_RST.rawValue))
        object.set(number(NFTNL_EXPR_REJECT_CODE), UInt8(0))
      }
      return object
    case .address(let bytes):
      let object = NftObject.expression("immediate")
      object.set(number(NFTNL_EXPR_IMM_DREG), Self.register)
      object.set(number(NFTNL_EXPR_IMM_DATA), bytes: bytes)
      return object
    case .destinationPort(let port):
      let object = NftObject.expression("immediate")
      object.set(number(NFTNL_EXPR_IMM_DREG), UInt32(NFT_REG_2.rawValue))
      object.set(number(NFTNL_EXPR_IMM_DATA), bytes: [UInt8(port >> 8), UInt8(truncatingIfNeeded: port)])
      return object
    case .dnat(let family, let withPort):
      let object = NftObject.expression("nat")
      object.set(number(NFTNL_EXPR_NAT_TYPE), UInt32(NFT_NAT_DNAT.rawValue))
      object.set(number(NFTNL_EXPR_NAT_FAMILY), UInt32(family.number))
      object.set(number(NFTNL_EXPR_NAT_REG_ADDR_MIN), Self.register)
      if withPort {
        object.set(number(NFTNL_EXPR_NAT_REG_PROTO_MIN), UInt32(NFT_REG_2.rawValue))
        // NF_NAT_RANGE_PROTO_SPECIFIED of linux/netfilter/nf_nat.h, as nft 1.0.6 writes it.
        object.set(number(NFTNL_EXPR_NAT_FLAGS), UInt32(2))
      }
      return object
    case .masquerade(let randomFully):
      let object = NftObject.expression("masq")
      // NF_NAT_RANGE_PROTO_RANDOM_FULLY of linux/netfilter/nf_nat.h.
      if randomFully { object.set(number(NFTNL_EXPR_MASQ_FLAGS), UInt32(16)) }
      return object
    }
  }
}

extension NftObject {
  /// Sets an attribute of an expression. libnftnl copies the value.
  fileprivate func set<Number: FixedWidthInteger & BitwiseCopyable>(_ attribute: UInt16, _ value: Number) {
    withUnsafeBytes(of: value) { _ = nftnl_expr_set(pointer, attribute, $0.baseAddress, UInt32($0.count)) }
  }

  fileprivate func set(_ attribute: UInt16, bytes: [UInt8]) {
    _ = nftnl_expr_set(pointer, attribute, bytes, UInt32(bytes.count))
  }

  fileprivate func set(_ attribute: UInt16, string: String) { _ = nftnl_expr_set_str(pointer, attribute, string) }
}
