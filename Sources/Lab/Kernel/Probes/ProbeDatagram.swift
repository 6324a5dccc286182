internal import CNftables  // owns the constants of sys/socket.h in a whole-module build
internal import Glibc

/// The payload of a UDP probe and of its echo.
struct ProbeDatagram: BitwiseCopyable, Hashable {
  /// Random, so that only the echo of this probe answers it.
  var nonce: UInt64
  /// The index of the probe in its run.
  var index: UInt64

  /// The sender or receiver of a datagram; `nil` on a connected socket.
  typealias Peer = UnsafeMutablePointer<sockaddr>

  /// Sends it. Returns 0 or an errno. The corresponding C function is `sendto`.
  func send(over fd: Int32, to peer: Peer? = nil, _ length: socklen_t = 0) -> Int32 {
    let sent = withUnsafeBytes(of: self) { bytes in
      resultOrErrno { sendto(fd, bytes.baseAddress, bytes.count, 0, peer, length) }
    }
    return sent < 0 ? Int32(-sent) : 0
  }

  /// Receives the next datagram from a non-blocking socket. The corresponding C function is `recvfrom`.
  static func receive(from fd: Int32, _ peer: Peer? = nil, _ length: UnsafeMutablePointer<socklen_t>? = nil)
    -> Reception
  {
    var datagram = ProbeDatagram(nonce: 0, index: 0)
    // With MSG_TRUNC the result is the datagram's own length, even when it is longer than the buffer.
    let count = withUnsafeMutableBytes(of: &datagram) { bytes in
      resultOrErrno { recvfrom(fd, bytes.baseAddress, bytes.count, Int32(MSG_TRUNC), peer, length) }
    }
    if count == -Int(EAGAIN) { return .nothing }
    if count < 0 { return .failed(Int32(-count)) }
    return count == MemoryLayout<ProbeDatagram>.size ? .datagram(datagram) : .foreign
  }

  enum Reception {
    case datagram(ProbeDatagram)
    /// Not a probe's datagram, judging by its length.
    case foreign
    /// A pending error (errno) of the socket. More datagrams may follow.
    case failed(Int32)
    case nothing
  }
}
