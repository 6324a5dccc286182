internal import CNftables  // owns the constants of sys/socket.h in a whole-module build
internal import Glibc

/// A packet that a raw socket received, or an ICMP error about one that it sent.
struct RawPacket {
  /// The sender's address. For an error, the address that the packet was sent to.
  var peer: [UInt8]
  /// The local address that the packet came to; empty for an error.
  var local: [UInt8]
  /// The bytes after the IP header. Valid only during the call that passes them.
  var payload: Slice<UnsafeRawBufferPointer>
  var error: ICMPError?
}

/// Calls on a raw socket of one protocol (raw(7), ipv6(7)). The kernel writes the IP header.
enum RawSocket {
  /// Asks for ICMP errors, for the local address of IPv6 packets, and for a larger buffer.
  static func prepare(_ fd: Int32, _ family: AddressFamily) {
    ProbeSocket.requestErrors(fd, family)
    if family == .v6 { setOption(fd, Int32(IPPROTO_IPV6), IPV6_RECVPKTINFO, 1) }
    ProbeSocket.enlargeReceiveBuffer(fd)
  }

  /// Sends from `source`, or from the address that the routes choose. Returns 0 or an errno.
  static func send(
    _ packet: [UInt8], over fd: Int32, from source: [UInt8]?, to destination: [UInt8], codePoint: UInt8 = 0
  ) -> Int32 {
    var control = source.map(packetInfo) ?? []
    if codePoint != 0 { control += trafficClass(codePoint, destination) }
    var bytes = packet
    // A raw IPv6 socket accepts no port but 0 or the number of its protocol.
    let result = ProbeAddress(destination, port: 0).withSocketAddress { address, length in
      bytes.withUnsafeMutableBytes { bytes in
        control.withUnsafeMutableBytes { control in
          var part = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
          return withUnsafeMutablePointer(to: &part) { part in
            var header = msghdr()
            header.msg_name = UnsafeMutableRawPointer(mutating: address)
            header.msg_namelen = length
            header.msg_iov = part
            header.msg_iovlen = 1
            header.msg_control = control.isEmpty ? nil : control.baseAddress
            header.msg_controllen = control.count
            return resultOrErrno { sendmsg(fd, &header, 0) }
          }
        }
      }
    }
    return result < 0 ? Int32(-result) : 0
  }

  /// struct in_pktinfo with ipi_spec_dst, or struct in6_pktinfo with ipi6_addr: the source address of one packet.
  private static func packetInfo(_ source: [UInt8]) -> [UInt8] {
    let noIndex = [UInt8](repeating: 0, count: 4)
    return source.count == 4
      ? ControlMessages.bytes(Int32(IPPROTO_IP), IP_PKTINFO, noIndex + source + [0, 0, 0, 0])
      : ControlMessages.bytes(Int32(IPPROTO_IPV6), IPV6_PKTINFO, source + noIndex)
  }

  private static func trafficClass(_ codePoint: UInt8, _ destination: [UInt8]) -> [UInt8] {
    let value = withUnsafeBytes(of: Int32(codePoint) << 2) { Array($0) }
    return destination.count == 4
      ? ControlMessages.bytes(Int32(IPPROTO_IP), IP_TOS, value)
      : ControlMessages.bytes(Int32(IPPROTO_IPV6), IPV6_TCLASS, value)
  }

  enum Reception { case packet, foreign, failed, nothing }

  /// Passes the next packet to `body`, or the next error if `errors` is set.
  static func receive(
    from fd: Int32, _ family: AddressFamily, errors: Bool = false, _ body: (RawPacket) -> Void
  ) -> Reception {
    withUnsafeTemporaryAllocation(byteCount: 1024, alignment: MemoryLayout<cmsghdr>.alignment) { buffer in
      let control = UnsafeMutableRawBufferPointer(rebasing: buffer[..<256])
      let data = UnsafeMutableRawBufferPointer(rebasing: buffer[256...])
      var name = sockaddr_in6()
      var header = msghdr()
      var part = iovec(iov_base: data.baseAddress, iov_len: data.count)
      header.msg_control = control.baseAddress
      header.msg_controllen = control.count
      header.msg_iovlen = 1
      let count = withUnsafeMutablePointer(to: &name) { name in
        withUnsafeMutablePointer(to: &part) { part in
          header.msg_name = UnsafeMutableRawPointer(name)
          header.msg_namelen = socklen_t(MemoryLayout<sockaddr_in6>.size)
          header.msg_iov = part
          return resultOrErrno { recvmsg(fd, &header, errors ? Int32(MSG_ERRQUEUE) : 0) }
        }
      }
      if count < 0 { return count == -Int(EAGAIN) ? .nothing : .failed }
      let received = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(data)[..<min(count, data.count)])
      let beside = UnsafeRawBufferPointer(
        rebasing: UnsafeRawBufferPointer(control)[..<min(Int(header.msg_controllen), control.count)])
      // The address follows the family and the port, with IPv6 also the flow label.
      let peer = withUnsafeBytes(of: name) { family == .v4 ? Array($0[4..<8]) : Array($0[8..<24]) }
      if errors {
        guard let error = ICMPError(beside) else { return .foreign }
        body(RawPacket(peer: peer, local: [], payload: received[...], error: error))
        return .packet
      }
      guard let (local, start) = family == .v4 ? ipv4Header(received) : ipv6Local(beside) else { return .foreign }
      body(RawPacket(peer: peer, local: local, payload: received.dropFirst(start), error: nil))
      return .packet
    }
  }

  /// The packet's destination and the length of its header. A raw IPv4 socket receives the IP header too.
  private static func ipv4Header(_ packet: UnsafeRawBufferPointer) -> ([UInt8], Int)? {
    guard packet.count >= 20 else { return nil }
    return (Array(packet[16..<20]), Int(packet[0] & 0xf) * 4)
  }

  private static func ipv6Local(_ control: UnsafeRawBufferPointer) -> ([UInt8], Int)? {
    ControlMessages.first(in: control) { level, type, data in
      level == Int32(IPPROTO_IPV6) && type == IPV6_PKTINFO && data.count >= 16 ? (Array(data[..<16]), 0) : nil
    }
  }
}
