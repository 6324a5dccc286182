internal import CNftables  // owns the constants of sys/socket.h in a whole-module build
internal import Glibc

/// A TCP listener that silently discards everything sent to its port.
///
/// A raw socket gets its copy before that (raw_local_deliver). Without a listener, the kernel answers a SYN with RST,
/// which conntrack takes for the end of the connection. With a listener whose filter accepts no packet, the kernel
/// answers nothing (tcp_filter in tcp_v4_rcv and tcp_v6_rcv).
final class SilentListener: Sendable {
  private let socket: OwnedDescriptor

  /// The corresponding C functions are `socket`, `setsockopt`, `bind` and `listen`. Throws EADDRINUSE if another socket
  /// listens.
  init(
    on address: ProbeAddress, in namespace: NetworkNamespace, _ operation: String, worker: NamespaceWorker
  ) throws {
    let fd = try worker.run(in: namespace) { try ProbeSocket.open(address.family, .tcp) }
    guard fd >= 0 else { throw KernelError(operation, code: -fd) }
    socket = OwnedDescriptor(fd)
    if address.family == .v6 { setOption(fd, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
    setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1)
    try SocketFilter.nothing.attach(to: fd, operation)
    try takeOver(operation) { ProbeSocket.bind(fd, to: address) }
    try takeOver(operation) { resultOrErrno { listen(fd, 1) } }
  }

  deinit {
    // A child between fork and exec has a copy, which would keep listening.
    shutdown(socket.number, Int32(SHUT_RDWR))
  }
}

/// Retries `bind` while the address is still in use. A program that is being started holds copies of all descriptors
/// until its exec, so a socket that was just closed still holds its address. Throws EADDRINUSE after 0.2 s.
func takeOver(_ operation: @autoclosure () -> String, _ bind: () -> Int32) throws(KernelError) {
  var result = bind()
  for _ in 0..<200 where result == -EADDRINUSE {
    usleep(1000)
    result = bind()
  }
  if result < 0 { throw KernelError(operation(), code: -result) }
}
