internal import CNftables  // owns the constants of sys/socket.h in a whole-module build
internal import Glibc

/// An ICMP or ICMPv6 echo request with a probe's payload (RFC 792, RFC 4443 section 4.1). On a ping socket the kernel
/// fills in the identifier and the checksum.
struct EchoRequest: BitwiseCopyable {
  private var header: UInt64
  private var payload: ProbeDatagram

  init(_ payload: ProbeDatagram) {
    header = 0
    self.payload = payload
  }

  /// Sends it over a connected socket. Returns 0 or an errno.
  func send(over fd: Int32, _ family: AddressFamily) -> Int32 {
    var request = self
    // Type, code, checksum, identifier, sequence number.
    request.header = UInt64(family == .v4 ? 8 : 128).littleEndian
    let sent = withUnsafeBytes(of: request) { bytes in
      resultOrErrno { Glibc.send(fd, bytes.baseAddress, bytes.count, 0) }
    }
    return sent < 0 ? Int32(-sent) : 0
  }

  /// Receives the next echo reply. A ping socket receives no other messages.
  static func receiveReply(from fd: Int32) -> ProbeDatagram.Reception {
    var reply = EchoRequest(ProbeDatagram(nonce: 0, index: 0))
    let count = withUnsafeMutableBytes(of: &reply) { bytes in
      resultOrErrno { recv(fd, bytes.baseAddress, bytes.count, Int32(MSG_TRUNC)) }
    }
    if count == -Int(EAGAIN) { return .nothing }
    if count < 0 { return .failed(Int32(-count)) }
    return count == MemoryLayout<EchoRequest>.size ? .datagram(reply.payload) : .foreign
  }
}
