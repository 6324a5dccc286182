internal import CNftables
internal import Glibc

/// The message type of an ipset command (linux/netfilter/nfnetlink.h).
func ipsetMessage(_ command: ipset_cmd) -> UInt16 { UInt16(NFNL_SUBSYS_IPSET) << 8 | number(command) }

/// The fixed struct at the start of all netfilter messages. ipset reads the family from an attribute instead.
func ipsetHeader() -> nfgenmsg { nfgenmsg(nfgen_family: UInt8(AF_INET), version: UInt8(NFNETLINK_V0), res_id: 0) }

/// The revision of a set type that both this kernel and this module support (IPSET_CMD_TYPE).
struct IPSetRevisions {
  private struct Kind: Hashable {
    let type: IPSetType
    let family: AddressFamily
  }

  private var agreed: [Kind: UInt8] = [:]

  subscript(type: IPSetType, family: AddressFamily) -> UInt8 {
    agreed[Kind(type: type, family: family)] ?? type.revision
  }

  mutating func negotiate(
    _ type: IPSetType, _ family: AddressFamily, in socket: borrowing NetlinkSocket
  ) throws(KernelError) {
    let kind = Kind(type: type, family: family)
    guard agreed[kind] == nil else { return }
    let operation = "revision of ipset type \(type.rawValue)"
    var buffer = NetlinkBuffer()
    try buffer.appendMessage(
      type: ipsetMessage(IPSET_CMD_TYPE), flags: UInt16(NLM_F_REQUEST), sequence: 1, ipsetHeader()
    ) {
      $0.put(number(IPSET_ATTR_PROTOCOL), UInt8(IPSET_PROTOCOL))
      $0.put(number(IPSET_ATTR_TYPENAME), string: type.rawValue)
      $0.put(number(IPSET_ATTR_FAMILY), family.number)
    }
    let message = try socket.ask(buffer, operation)
    let attributes = message.attributes(after: nfgenmsg.self)
    guard let newest: UInt8 = attributes[number(IPSET_ATTR_REVISION)]?.integer() else {
      throw KernelError(operation, code: EPROTO)
    }
    let oldest: UInt8 = attributes[number(IPSET_ATTR_REVISION_MIN)]?.integer() ?? newest
    guard oldest <= type.revision else {
      throw KernelError(operation, code: EPROTONOSUPPORT, message: "the kernel's oldest revision is \(oldest)")
    }
    agreed[kind] = min(newest, type.revision)
  }
}

extension NetlinkSocket {
  /// Sends a request that gets exactly one reply message, and returns that message.
  func ask(_ request: NetlinkBuffer, _ operation: String) throws(KernelError) -> NetlinkMessage {
    try send(request)
    var reply: NetlinkMessage?
    while let datagram = try receive() {
      for message in NetlinkMessageSequence(datagram) {
        if let error = message.answer?.error(of: operation) { throw error }
        if message.type >= UInt16(NLMSG_MIN_TYPE) { reply = message }
      }
    }
    guard let reply else { throw KernelError(operation, code: EPROTO, message: "no answer") }
    return reply
  }
}
