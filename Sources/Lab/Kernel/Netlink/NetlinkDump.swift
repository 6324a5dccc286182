internal import CNftables
internal import Glibc

extension NetlinkSocket {
  /// Sends one NLM_F_DUMP request and returns the messages of its reply, up to NLMSG_DONE.
  public func dump(_ request: NetlinkBuffer, _ operation: String) throws(KernelError) -> [NetlinkMessage] {
    // NLM_F_DUMP_INTR: something changed meanwhile, so the list may mix two states.
    for _ in 0..<8 {
      if let messages = try dumpOnce(request, operation) { return messages }
    }
    throw KernelError(operation, code: EAGAIN, message: "it keeps changing while it is being listed")
  }

  private func dumpOnce(_ request: NetlinkBuffer, _ operation: String) throws(KernelError) -> [NetlinkMessage]? {
    try send(request)
    var messages: [NetlinkMessage] = []
    var interrupted = false
    // The kernel makes the next piece when the last one is read, so there is nothing to wait for.
    while let datagram = try receive() {
      for message in NetlinkMessageSequence(datagram) {
        if message.flags & UInt16(NLM_F_DUMP_INTR) != 0 { interrupted = true }
        if let error = message.answer?.error(of: operation) { throw error }
        if message.type == UInt16(NLMSG_DONE) {
          let code: Int32 = message.header() ?? 0
          if code < 0 { throw KernelError(operation, code: -code) }
          return interrupted ? nil : messages
        }
        if message.type >= UInt16(NLMSG_MIN_TYPE) { messages.append(message) }
      }
    }
    throw KernelError(operation, code: EPROTO, message: "the list ended without NLMSG_DONE")
  }
}
