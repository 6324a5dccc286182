internal import CNftables  // owns the constants of sys/socket.h in a whole-module build
internal import Glibc

/// A SYN without options (RFC 9293, 3.1) as it is on the wire. The sequence number numbers the stream's SYNs. Two
/// fields that have no meaning without ACK and URG identify it: the acknowledgement number the run, the urgent pointer
/// the stream.
struct SYNSegment: BitwiseCopyable {
  private var sourcePort: UInt16
  private var destinationPort: UInt16
  private var sequence: UInt32
  private var acknowledgement: UInt32
  private var offsetAndFlags: UInt16
  private var window: UInt16
  private var checksum: UInt16
  private var urgent: UInt16

  init(stream: Int, to port: UInt16, _ nonce: StreamNonce) {
    sourcePort = Self.port(ofStream: stream, nonce).bigEndian
    destinationPort = port.bigEndian
    sequence = 0
    acknowledgement = nonce.mark.bigEndian
    // A header of five words, and SYN.
    offsetAndFlags = UInt16(0x5002).bigEndian
    window = UInt16(64_240).bigEndian
    checksum = 0
    urgent = UInt16(truncatingIfNeeded: stream).bigEndian
  }

  /// A source port below those that kernels assign (ip_local_port_range), different for each stream of a run.
  private static func port(ofStream stream: Int, _ nonce: StreamNonce) -> UInt16 {
    let lowest = 1024
    return UInt16(lowest + (Int(nonce.mark) + stream) % (32_768 - lowest))
  }

  /// Sets the sequence number and the matching checksum. `pseudoHeader` comes from `pseudoHeaderSum`.
  mutating func number(_ number: UInt32, pseudoHeader: UInt64) {
    sequence = number.bigEndian
    checksum = 0
    checksum = withUnsafeBytes(of: self) { ~Self.folded(pseudoHeader + Self.sum($0)) }
  }

  /// The sum of the addresses, the protocol and the length. The pseudo-headers of IPv4 and IPv6 (RFC 9293, 3.1; RFC
  /// 8200, 8.1) have them in different places, but the sum is the same.
  static func pseudoHeaderSum(_ source: [UInt8], _ destination: [UInt8]) -> UInt64 {
    let rest = UInt16(IPPROTO_TCP) + UInt16(MemoryLayout<SYNSegment>.size)
    return (source + destination).withUnsafeBytes { sum($0) } + UInt64(rest.bigEndian)
  }

  /// The sum of 16-bit words as they lie in memory. Another byte order only swaps the bytes of the result (RFC 1071,
  /// 2).
  private static func sum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    stride(from: 0, to: bytes.count - 1, by: 2).reduce(0) {
      $0 + UInt64(bytes.loadUnaligned(fromByteOffset: $1, as: UInt16.self))
    }
  }

  private static func folded(_ sum: UInt64) -> UInt16 {
    var sum = sum
    while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
    return UInt16(sum)
  }

  /// Sends it. Returns 0 or an errno. The corresponding C function is `sendto`.
  func send(over fd: Int32, to peer: ProbeDatagram.Peer, _ length: socklen_t) -> Int32 {
    let sent = withUnsafeBytes(of: self) { bytes in
      resultOrErrno { sendto(fd, bytes.baseAddress, bytes.count, 0, peer, length) }
    }
    return sent < 0 ? Int32(-sent) : 0
  }

  /// The equivalent UDP datagram; `nil` for a SYN of another run.
  func datagram(_ nonce: StreamNonce) -> ProbeDatagram? {
    guard UInt32(bigEndian: acknowledgement) == nonce.mark else { return nil }
    return ProbeDatagram(
      nonce: nonce.value,
      index: UInt64(UInt16(bigEndian: urgent)) << 32 | UInt64(UInt32(bigEndian: sequence) &- nonce.first))
  }
}
