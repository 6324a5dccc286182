internal import CNftables
internal import Glibc

/// An entry of the connection tracking table: how a connection's first packet was, and where its replies come from.
public struct ConntrackEntry: Hashable, Sendable {
  /// The addresses and ports of packets in one direction. Ports are 0 if the protocol has none.
  public struct Tuple: Hashable, Sendable {
    public var source: [UInt8]
    public var destination: [UInt8]
    public var sourcePort: UInt16
    public var destinationPort: UInt16
    /// The IP protocol number.
    public var transport: UInt8

    public init(
      source: [UInt8], sourcePort: UInt16, destination: [UInt8], destinationPort: UInt16, transport: UInt8
    ) {
      self.source = source
      self.sourcePort = sourcePort
      self.destination = destination
      self.destinationPort = destinationPort
      self.transport = transport
    }

    /// The packet in the other direction.
    public var reversed: Tuple {
      Tuple(
        source: destination, sourcePort: destinationPort, destination: source, destinationPort: sourcePort,
        transport: transport)
    }
  }

  /// Before any translation.
  public let original: Tuple
  /// As the receiver's answers are: their source is the translated destination.
  public let reply: Tuple

  /// Lists all entries of the socket's namespace (IPCTNL_MSG_CT_GET, linux/netfilter/nfnetlink_conntrack.h). A
  /// connection whose first packet was dropped on this node has no entry here.
  public static func list(in socket: borrowing NetlinkSocket) throws(KernelError) -> [ConntrackEntry] {
    var request = NetlinkBuffer()
    let header = nfgenmsg(nfgen_family: UInt8(AF_UNSPEC), version: UInt8(NFNETLINK_V0), res_id: 0)
    // IPCTNL_MSG_CT_GET is 1.
    let type = UInt16(NFNL_SUBSYS_CTNETLINK) << 8 | 1
    try request.appendMessage(type: type, flags: UInt16(NLM_F_REQUEST | NLM_F_DUMP), sequence: 1, header) { _ in }
    return try socket.dump(request, "list connections").compactMap { message in
      let attributes = message.attributes(after: nfgenmsg.self)
      // CTA_TUPLE_ORIG and CTA_TUPLE_REPLY.
      guard let original = attributes[1].flatMap({ Tuple($0.nested) }),
        let reply = attributes[2].flatMap({ Tuple($0.nested) })
      else { return nil }
      return ConntrackEntry(original: original, reply: reply)
    }
  }
}

extension ConntrackEntry.Tuple {
  /// CTA_TUPLE_IP is 1 and has the source in 1 (IPv4) or 3, the destination in 2 or 4. CTA_TUPLE_PROTO is 2 and has the
  /// protocol in 1, the ports in 2 and 3.
  fileprivate init?(_ tuple: AttributeSequence) {
    guard let addresses = tuple[1]?.nested, let transport = tuple[2]?.nested,
      let source = addresses[1] ?? addresses[3], let destination = addresses[2] ?? addresses[4],
      let number = transport[1]?.integer(UInt8.self)
    else { return nil }
    self.init(
      source: Array(source.payload), sourcePort: transport[2]?.bigEndian() ?? 0,
      destination: Array(destination.payload), destinationPort: transport[3]?.bigEndian() ?? 0, transport: number)
  }
}
