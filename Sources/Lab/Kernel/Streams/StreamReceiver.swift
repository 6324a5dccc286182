internal import CLinux
internal import CNftables  // owns the constants of sys/socket.h in a whole-module build
internal import Glibc

/// The socket of one destination. The kernel queues and timestamps on it what arrives during a trial.
final class StreamReceiver: Sendable {
  /// Bytes of the buffer that the kernel charges for a datagram of 16 bytes: struct sk_buff, its data and
  /// skb_shared_info (`truesize`, 768 bytes on 64-bit 6.x kernels), plus a third for other kernels.
  static let truesize = 1024

  private let transport: StreamTransport
  private let family: AddressFamily
  private let nonce: StreamNonce
  private let socket: OwnedDescriptor
  /// For SYNs, the socket that keeps the kernel from answering them with RST.
  private let silence: SilentListener?
  /// Size of the buffer in bytes, as the kernel counts them.
  private let granted: Int
  private let needed: Int

  /// Opens the socket with room for `datagrams` datagrams, but not more than `limit` bytes. The corresponding C
  /// functions are `socket`, `setsockopt` and `bind`.
  init(
    _ transport: StreamTransport, on address: ProbeAddress, in namespace: NetworkNamespace, nonce: StreamNonce,
    datagrams: Int, limit: Int, worker: NamespaceWorker
  ) throws {
    (self.transport, family, self.nonce) = (transport, address.family, nonce)
    let operation = "receiver of a stream on \(address)"
    let fd = try worker.run(in: namespace) { try transport.open(address.family, operation) }
    socket = OwnedDescriptor(fd)
    switch transport {
    case .udp:
      silence = nil
      if family == .v6 { setOption(fd, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
    case .tcp:
      try SocketFilter.syns(family, to: address.port, of: nonce).attach(to: fd, operation)
      silence = try SilentListener(on: address, in: namespace, operation, worker: worker)
    }
    guard setOption(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1) else {
      throw KernelError("\(operation): SO_TIMESTAMPNS", code: cl_errno())
    }
    // The kernel doubles the requested size (socket(7)). FORCE is for root only.
    needed = datagrams * Self.truesize
    let half = Int32(clamping: min(needed, limit) / 2)
    if !setOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, half) { setOption(fd, SOL_SOCKET, SO_RCVBUF, half) }
    var size: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    try call("\(operation): SO_RCVBUF") { getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &length) }
    granted = Int(size)
    // A raw IPv6 socket accepts no port.
    let place = transport == .udp ? address : ProbeAddress(address.bytes, port: 0)
    try takeOver(operation) { ProbeSocket.bind(fd, to: place) }
  }

  /// Whether the buffer holds all datagrams of a trial, so that it need not be read meanwhile.
  var holdsAll: Bool { granted >= needed }

  /// Number of datagrams that didn't fit (`sk_drops`). SO_RXQ_OVFL reports drops only with the next datagram that fits.
  /// A full raw socket also counts other TCP segments to its address, because it checks for room before it runs its
  /// filter (raw_v4_input, net/ipv4/raw.c).
  var dropped: Int {
    get throws(KernelError) {
      // SO_MEMINFO: nine numbers, the last of which is SK_MEMINFO_DROPS (linux/sock_diag.h, Linux 4.12).
      var values = [UInt32](repeating: 0, count: 9)
      var length = socklen_t(values.count * MemoryLayout<UInt32>.size)
      try call("SO_MEMINFO of a stream's receiver") { getsockopt(socket.number, SOL_SOCKET, 55, &values, &length) }
      return Int(values[8])
    }
  }

  /// Passes every waiting datagram to `body` with its timestamp (CLOCK_REALTIME, ns; 0 if there is none). The
  /// corresponding C function is `recvmsg`.
  func drain(_ body: (ProbeDatagram, _ stamp: UInt64) -> Void) {
    // Room for the longest IP header and the data after it. MSG_TRUNC reveals longer packets.
    withUnsafeTemporaryAllocation(byteCount: 80, alignment: 8) { payload in
      withUnsafeTemporaryAllocation(byteCount: 64, alignment: MemoryLayout<cmsghdr>.alignment) { control in
        var vector = iovec(iov_base: payload.baseAddress, iov_len: payload.count)
        withUnsafeMutablePointer(to: &vector) { vector in
          while true {
            var header = msghdr()
            header.msg_iov = vector
            header.msg_iovlen = 1
            header.msg_control = control.baseAddress
            header.msg_controllen = control.count
            let count = resultOrErrno { recvmsg(socket.number, &header, Int32(MSG_TRUNC)) }
            if count < 0 { return }
            guard count <= payload.count else { continue }
            let bytes = UnsafeRawBufferPointer(rebasing: payload[..<count])
            guard let datagram = datagram(bytes) else { continue }
            let used = UnsafeRawBufferPointer(control)[..<min(Int(header.msg_controllen), control.count)]
            body(datagram, Self.stamp(UnsafeRawBufferPointer(rebasing: used)))
          }
        }
      }
    }
  }

  /// `nil` if it isn't a datagram of a stream.
  private func datagram(_ bytes: UnsafeRawBufferPointer) -> ProbeDatagram? {
    switch transport {
    case .udp:
      guard bytes.count == MemoryLayout<ProbeDatagram>.size else { return nil }
      return bytes.loadUnaligned(as: ProbeDatagram.self)
    case .tcp:
      let start = family == .v4 ? Int((bytes.first ?? 0) & 0xf) * 4 : 0
      guard bytes.count == start + MemoryLayout<SYNSegment>.size else { return nil }
      return bytes.loadUnaligned(fromByteOffset: start, as: SYNSegment.self).datagram(nonce)
    }
  }

  private static func stamp(_ control: UnsafeRawBufferPointer) -> UInt64 {
    ControlMessages.first(in: control) { level, type, data in
      guard level == SOL_SOCKET, type == SO_TIMESTAMPNS, data.count >= MemoryLayout<timespec>.size else { return nil }
      return UInt64(data.loadUnaligned(as: timespec.self))
    } ?? 0
  }
}
