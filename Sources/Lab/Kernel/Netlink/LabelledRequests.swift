internal import Algorithms
internal import CNftables
internal import Glibc

/// Requests in order, many per datagram, each with a label for error messages. A request that doesn't fit into a
/// message is an error too, which `send` throws before it sends anything.
struct LabelledRequests: Sendable {
  struct Datagram: Sendable {
    var buffer = NetlinkBuffer()
    /// Evaluated only when a label is needed.
    var labels: [@Sendable () -> String] = []
  }

  /// Below the usual net.core.wmem_default of 212,992, so no limit has to be raised.
  static let datagramSize = 128 << 10

  private(set) var datagrams: [Datagram] = []
  private var cut = true
  private var failure: KernelError?

  var count: Int { datagrams.reduce(0) { $0 + $1.labels.count } }

  mutating func append<Header: BitwiseCopyable>(
    _ label: @autoclosure @escaping @Sendable () -> String, type: UInt16, flags: Int32, _ header: Header,
    _ body: (inout NetlinkBuffer) -> Void
  ) {
    if cut || datagrams[datagrams.count - 1].buffer.bytes.count >= Self.datagramSize { datagrams.append(Datagram()) }
    cut = false
    let last = datagrams.count - 1
    datagrams[last].labels.append(label)
    do throws(KernelError) {
      try datagrams[last].buffer.appendMessage(
        type: type, flags: UInt16(NLM_F_REQUEST | flags), sequence: UInt32(datagrams[last].labels.count), header, body)
    } catch {
      failure = failure ?? error.labelled(label())
    }
  }

  /// Starts a new datagram. It isn't sent if anything before it failed.
  mutating func startDatagram() { cut = true }

  /// Sends everything and throws the first error. `detail` may add information from the answer to it.
  ///
  /// The kernel continues after an error, so later requests in the same datagram were tried as well.
  func send(
    in socket: borrowing NetlinkSocket, detail: (_ answer: NetlinkAnswer, _ request: Int) -> String? = { _, _ in nil }
  ) throws(KernelError) {
    if let failure { throw failure }
    var sent = 0
    for datagram in datagrams {
      try send(datagram, in: socket) { detail($0, sent + Int($0.sequence) - 1) }
      sent += datagram.labels.count
    }
  }

  /// Errors are always answered. Only the last request asks for an acknowledgement, which ends the answers.
  private func send(
    _ datagram: Datagram, in socket: borrowing NetlinkSocket, detail: (NetlinkAnswer) -> String?
  ) throws(KernelError) {
    var buffer = datagram.buffer
    buffer.flagLastMessage(UInt16(NLM_F_ACK))
    socket.reserveSendBuffer(buffer.bytes.count)
    try socket.send(buffer)

    var failure: KernelError?
    var complete = false
    let overrun = try socket.drainAnswers { answer in
      guard (1...datagram.labels.count).contains(Int(answer.sequence)) else { return }
      if answer.sequence == datagram.labels.count { complete = true }
      if failure == nil, var error = answer.error(of: datagram.labels[Int(answer.sequence) - 1]()) {
        error.message = error.message ?? detail(answer)
        failure = error
      }
    }
    if let failure { throw failure }
    if overrun || !complete {
      throw KernelError(datagram.labels.last?() ?? "", code: overrun ? ENOBUFS : EPROTO, message: "replies were lost")
    }
  }
}

extension KernelError {
  /// The error of the request `label`, with the original operation and message as its message.
  fileprivate func labelled(_ label: String) -> KernelError {
    KernelError(label, code: code, message: [operation, message].compacted().joined(separator: ": "))
  }
}
