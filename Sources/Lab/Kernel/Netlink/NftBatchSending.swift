internal import CNftables
internal import Glibc

/// The kernel's refusal of a batch, or of a message in it.
public struct NftRefusal: Error, Hashable, Sendable {
  /// The index of the refused message, from 0; `nil` if the kernel refused the whole batch.
  public let message: Int?
  public let error: KernelError
}

extension NftBatch {
  /// Sends the transaction, and throws the first error.
  ///
  /// The transaction is complete when the datagram has been sent. A datagram larger than the socket's buffer is refused
  /// with EMSGSIZE: without CAP_NET_ADMIN on the host, the limit is net.core.wmem_max.
  public func send(in socket: borrowing NetlinkSocket) throws(NftRefusal) {
    if count == 0 { return }
    if let failure { throw failure }
    var whole = self
    // No acknowledgement is requested. All errors can be read once the datagram is sent, and no error means success.
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
    // The error of a failed commit refers to a batch marker, not to a message.
    if let first = answers.errors.min(by: { ($0.message ?? .max) < ($1.message ?? .max) }) { throw first }
    if answers.lost {
      throw NftRefusal(
        message: nil, error: KernelError("nf_tables transaction", code: ENOBUFS, message: "replies were lost"))
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
