internal import CNftables
internal import Glibc

/// Receives what iptables-legacy's TRACE target tells of packets in one network namespace: NFLOG group 0
/// (linux/netfilter/nfnetlink_log.h), once `nf_log` of the namespace is `nfnetlink_log`.
public struct PacketLog: ~Copyable {
  /// A message about one rule that a packet matched, or one end of a chain.
  public struct Message: Hashable, Sendable {
    /// Such as `TRACE: filter:FORWARD:rule:2 `.
    public let prefix: String
    /// As in `enum nf_inet_hooks`.
    public let hook: UInt32
    /// Before the rule; 0 if the packet has none.
    public let mark: UInt32
    public let header: TracedHeader
  }

  private let socket: NetlinkSocket

  private init(_ socket: consuming NetlinkSocket) { self.socket = socket }

  // The attributes and commands have had these numbers since Linux 2.6.14.
  private enum Attribute {
    static let header: UInt16 = 1
    static let mark: UInt16 = 2
    static let payload: UInt16 = 9
    static let prefix: UInt16 = 10
    static let command: UInt16 = 1
    static let mode: UInt16 = 2
    static let threshold: UInt16 = 5
  }
  /// NFNL_SUBSYS_ULOG in the upper byte; NFULNL_MSG_PACKET is 0, NFULNL_MSG_CONFIG 1.
  private static let packetMessage = UInt16(NFNL_SUBSYS_ULOG) << 8
  private static let configMessage = packetMessage | 1

  /// Starts in the namespace of the calling thread.
  public static func start() throws(KernelError) -> PacketLog {
    // NFPROTO_IPV4 and NFPROTO_IPV6.
    for family in ["2", "10"] { try Sysctl.write("net/netfilter/nf_log/\(family)", "nfnetlink_log") }
    let socket = try NetlinkSocket(.netfilter)
    socket.reserveReceiveBuffer(1 << 20)
    var request = NetlinkBuffer()
    // Of group 0.
    let header = nfgenmsg(nfgen_family: UInt8(AF_UNSPEC), version: UInt8(NFNETLINK_V0), res_id: 0)
    let flags = UInt16(NLM_F_REQUEST | NLM_F_ACK)
    // NFULNL_CFG_CMD_BIND is 1.
    try request.appendMessage(type: configMessage, flags: flags, sequence: 1, header) {
      $0.put(Attribute.command, [UInt8(1)])
    }
    // struct nfulnl_msg_config_mode: 128 bytes of each packet (big-endian), NFULNL_COPY_PACKET. And no message waits for
    // others.
    try request.appendMessage(type: configMessage, flags: flags, sequence: 2, header) {
      $0.put(Attribute.mode, [0, 0, 0, 128, 2, 0])
      $0.put(Attribute.threshold, bigEndian: UInt32(1))
    }
    try socket.send(request)
    var failure: KernelError?
    _ = try socket.drainAnswers { failure = failure ?? $0.error(of: "listen to NFLOG group 0") }
    if let failure { throw failure }
    return PacketLog(socket)
  }

  /// The messages since the last call. `lost`: some did not fit into the buffer.
  public func drain() throws(KernelError) -> (messages: [Message], lost: Bool) {
    var found: [Message] = []
    let lost = try socket.drain { message in
      if let own = Self.message(message) { found.append(own) }
    }
    return (found, lost)
  }

  private static func message(_ message: NetlinkMessage) -> Message? {
    guard message.type == packetMessage else { return nil }
    let attributes = message.attributes(after: nfgenmsg.self)
    // struct nfulnl_msg_packet_hdr: the protocol in two bytes, then the hook.
    guard let head = attributes[Attribute.header]?.payload, head.count >= 3,
      let prefix = attributes[Attribute.prefix]?.string, let payload = attributes[Attribute.payload]?.payload,
      let header = TracedHeader(whole: Array(payload))
    else { return nil }
    return Message(
      prefix: prefix, hook: UInt32(head[head.startIndex + 2]),
      mark: attributes[Attribute.mark]?.bigEndian() ?? 0, header: header)
  }
}

extension TracedHeader {
  /// `packet` begins with its IP header. `nil` if it is too short.
  fileprivate init?(whole packet: [UInt8]) {
    guard let first = packet.first else { return nil }
    let length = first >> 4 == 4 ? Int(first & 0xf) * 4 : 40
    self.init(packet[...], packet.dropFirst(length))
  }
}
