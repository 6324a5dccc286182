internal import CNftables

/// One event of nf_tables' packet trace (NFT_MSG_TRACE, linux/netfilter/nf_tables.h): a rule that a packet matched, the
/// end of a chain, or a base chain's policy.
public struct TraceEvent: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    case rule(handle: UInt64)
    /// The rules of a chain ran out, or one returned.
    case chainEnd
    case policy
  }

  public enum Verdict: Hashable, Sendable {
    case accept
    case drop
    case goOn
    case `return`
    case jump(String)
    case goto(String)
    /// NF_STOLEN, NF_QUEUE and others of linux/netfilter.h.
    case other(Int32)
  }

  /// The same for all events of a packet in one network namespace.
  public let packet: UInt32
  public let family: AddressFamily
  public let table: String
  public let chain: String
  public let kind: Kind
  public let verdict: Verdict
  /// After the rule; 0 if the packet has none.
  public let mark: UInt32
  /// Only in the first event of a base chain.
  public let header: TracedHeader?
  /// Before Linux 6.16, and before connection tracking has seen the packet: `nil`.
  public let conntrackState: UInt32?
}

/// The addresses and ports of a traced packet.
public struct TracedHeader: Hashable, Sendable {
  public let source: [UInt8]
  public let destination: [UInt8]
  /// The number of the IP protocol.
  public let transport: UInt8
  /// 0 if the protocol has none, or the packet is too short.
  public let sourcePort: UInt16
  public let destinationPort: UInt16
  /// The flags of TCP, the type of ICMP; otherwise 0.
  public let detail: UInt8
  /// The packet's start, from its IP header on: as much as the kernel tells of it.
  public let bytes: [UInt8]
  /// Of the whole packet, in bytes.
  public let length: Int

  /// `network` is the packet from its IP header on, `transport` what follows it. `nil` if they are too short.
  init?(_ network: ArraySlice<UInt8>, _ transport: ArraySlice<UInt8>) {
    let (network, rest) = (Array(network), Array(transport))
    guard let version = network.first.map({ $0 >> 4 }) else { return nil }
    switch version {
    case 4 where network.count >= 20:
      source = Array(network[12..<16])
      destination = Array(network[16..<20])
      self.transport = network[9]
      length = Int(network[2]) << 8 | Int(network[3])
      bytes = Array((network.prefix(Int(network[0] & 0xf) * 4) + rest).prefix(length))
    case 6 where network.count >= 40:
      source = Array(network[8..<24])
      destination = Array(network[24..<40])
      self.transport = network[6]
      length = 40 + (Int(network[4]) << 8 | Int(network[5]))
      bytes = Array((network.prefix(40) + rest).prefix(length))
    default: return nil
    }
    let hasPorts = [6, 17, 132].contains(self.transport) && rest.count >= 4
    sourcePort = hasPorts ? UInt16(rest[0]) << 8 | UInt16(rest[1]) : 0
    destinationPort = hasPorts ? UInt16(rest[2]) << 8 | UInt16(rest[3]) : 0
    switch self.transport {
    case 6 where rest.count >= 14: detail = rest[13]
    case 1 where !rest.isEmpty, 58 where !rest.isEmpty: detail = rest[0]
    default: detail = 0
    }
  }
}

extension TraceEvent {
  /// Attributes NFTA_TRACE_*. `nil` if the message is no trace event.
  public init?(_ message: NetlinkMessage) {
    guard message.type == UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(NFT_MSG_TRACE.rawValue),
      let header: nfgenmsg = message.header()
    else { return nil }
    let attributes = message.attributes(after: nfgenmsg.self)
    let number = { (type: nft_trace_attributes) in attributes[UInt16(type.rawValue)]?.bigEndian(UInt32.self) }
    guard let packet = number(NFTA_TRACE_ID), let type = number(NFTA_TRACE_TYPE),
      let table = attributes[UInt16(NFTA_TRACE_TABLE.rawValue)]?.string,
      let chain = attributes[UInt16(NFTA_TRACE_CHAIN.rawValue)]?.string
    else { return nil }
    self.packet = packet
    self.table = table
    self.chain = chain
    family = header.nfgen_family == AddressFamily.v6.number ? .v6 : .v4
    mark = number(NFTA_TRACE_MARK) ?? 0
    switch type {
    case UInt32(NFT_TRACETYPE_RULE.rawValue):
      guard let handle = attributes[UInt16(NFTA_TRACE_RULE_HANDLE.rawValue)]?.bigEndian(UInt64.self) else { return nil }
      kind = .rule(handle: handle)
    case UInt32(NFT_TRACETYPE_RETURN.rawValue): kind = .chainEnd
    case UInt32(NFT_TRACETYPE_POLICY.rawValue): kind = .policy
    default: return nil
    }
    if kind == .policy {
      // NF_ACCEPT of linux/netfilter.h.
      verdict = number(NFTA_TRACE_POLICY) == 1 ? .accept : .drop
    } else {
      verdict = attributes[UInt16(NFTA_TRACE_VERDICT.rawValue)].map { Verdict($0.nested) } ?? .goOn
    }
    self.header = attributes[UInt16(NFTA_TRACE_NETWORK_HEADER.rawValue)].flatMap { network in
      TracedHeader(network.payload, attributes[UInt16(NFTA_TRACE_TRANSPORT_HEADER.rawValue)]?.payload ?? [])
    }
    // NFTA_TRACE_CT_STATE, an `enum ip_conntrack_info` as a bit; older headers don't name it.
    conntrackState = attributes[21]?.bigEndian(UInt32.self)
  }
}

extension TraceEvent.Verdict {
  /// NFTA_VERDICT_CODE is 1, NFTA_VERDICT_CHAIN 2.
  fileprivate init(_ attributes: AttributeSequence) {
    let code = attributes[1]?.bigEndian(Int32.self) ?? 0
    let chain = attributes[2]?.string ?? ""
    self =
      switch code {
      case 0: .drop
      case 1: .accept
      case NFT_CONTINUE.rawValue: .goOn
      case NFT_RETURN.rawValue: .return
      case NFT_JUMP.rawValue: .jump(chain)
      case NFT_GOTO.rawValue: .goto(chain)
      default: .other(code)
      }
  }
}
