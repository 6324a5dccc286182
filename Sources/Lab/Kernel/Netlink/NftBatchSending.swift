internal import CNftables
internal import Glibc

/// What the kernel refused in a batch.
public struct NftRefusal: Error, Hashable, Sendable {
  /// The message that it refused, counted from 0; nil where it refused the whole.
  public let message: Int?
  public let error: KernelError
}

extension NftBatch {
  /// Sends the transaction, and throws the first error.
  ///
  /// It is over when the datagram is sent. A datagram larger than the socket's buffer is refused with EMSGSIZE:
  /// without the host's CAP_NET_ADMIN net.core.wmem_max is the bound.
  public func send(in socket: borrowing NetlinkSocket) throws(NftRefusal) {
    if count == 0 { return }
    if let failure { throw failure }
    var whole = self
    // No acknowledgement is asked for: all errors wait to be read when the datagram is sent, and none is success.
    whole.appendFrame(NFNL_MSG_BATCH_END)
    let answers: (errors: [NftRefusal], lost: Bool)
    do throws(KernelError) {
      socket.reserveSendBuffer(whole.bytes.count)
      socket.reserveReceiveBuffer(1 << 20)
      try Self.sendBytes(whole.bytes, socket)
      answers = try receiveAnswers(in: socket)
    } catch {
      throw NftRefusal(message: nil, error: error)
    }
    // A commit that fails is answered as the frame's.
    if let first = answers.errors.min(by: { ($0.message ?? .max) < ($1.message ?? .max) }) { throw first }
    if answers.lost {
      throw NftRefusal(
        message: nil, error: KernelError("nf_tables transaction", code: ENOBUFS, message: "answers lost"))
    }
  }

  private static func sendBytes(_ bytes: [UInt8], _ socket: borrowing NetlinkSocket) throws(KernelError) {
    var failure: KernelError?
    bytes.withUnsafeBytes { bytes in
      do throws(KernelError) { try socket.send(bytes) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  private func receiveAnswers(
    in socket: borrowing NetlinkSocket
  ) throws(KernelError) -> (errors: [NftRefusal], lost: Bool) {
    var errors: [NftRefusal] = []
    let count = count
    let lost = try socket.drainAnswers { answer in
      guard let error = answer.error(of: "nf_tables transaction") else { return }
      let sequence = Int(answer.sequence)
      errors.append(NftRefusal(message: (1...count).contains(sequence) ? sequence - 1 : nil, error: error))
    }
    return (errors, lost)
  }
}
