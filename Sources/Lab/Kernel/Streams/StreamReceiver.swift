internal import CLinux
internal import CNftables  // owns the constants of sys/socket.h in a whole-module build
internal import Glibc

/// The socket of one destination, on which the kernel keeps and stamps what comes during a trial.
final class StreamReceiver: Sendable {
  /// What the kernel charges a datagram of 16 bytes to the buffer: struct sk_buff, its data and skb_shared_info
  /// (`truesize`, 768 bytes on 64-bit kernels of the 6 series), and a third as much for others.
  static let truesize = 1024

  private let transport: StreamTransport
  private let family: AddressFamily
  private let nonce: StreamNonce
  private let socket: OwnedDescriptor
  /// Of a receiver of SYNs: the socket without which the kernel would answer them by RST.
  private let silence: SilentListener?
  /// Bytes, as the kernel counts them.
  private let granted: Int
  private let needed: Int

  /// Opens it, with room for so many datagrams of a run or for `limit` bytes. The corresponding C functions are
  /// `socket`, `setsockopt` and `bind`.
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
    // The kernel doubles what it is asked for (socket(7)). FORCE is for root only.
    needed = datagrams * Self.truesize
    let half = Int32(clamping: min(needed, limit) / 2)
    if !setOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, half) { setOption(fd, SOL_SOCKET, SO_RCVBUF, half) }
    var size: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    try call("\(operation): SO_RCVBUF") { getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &length) }
    granted = Int(size)
    // A raw IPv6 socket takes no port.
    let place = transport == .udp ? address : ProbeAddress(address.bytes, port: 0)
    try takeOver(operation) { ProbeSocket.bind(fd, to: place) }
  }

  /// Whether it may stay unread while datagrams come.
  var holdsAll: Bool { granted >= needed }

  /// How many datagrams didn't fit (`sk_drops`). Not SO_RXQ_OVFL: that tells only with the next one that does fit.
  /// A raw socket that is full counts other TCP segments to its address too: it looks for room before it asks its
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

  /// Hands over everything that waits, with its stamp (CLOCK_REALTIME, ns; 0 where there is none). The corresponding C
  /// function is `recvmsg`.
  func drain(_ body: (ProbeDatagram, _ stamp: UInt64) -> Void) {
    // Room for the longest IP header and what comes behind it; MSG_TRUNC tells of what is longer.
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

  /// Nil for what is no stream's.
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
