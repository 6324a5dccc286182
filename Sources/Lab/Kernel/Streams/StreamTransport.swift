internal import CNftables  // owns the constants of sys/socket.h in a whole-module build
internal import Glibc

/// The kind of packets that a stream sends.
public enum StreamTransport: String, Hashable, Sendable, CaseIterable {
  /// Datagrams of 16 bytes, to a socket that receives them.
  case udp
  /// SYNs without options and data, over raw sockets. Nothing answers them, so to conntrack each one is new.
  case tcp

  /// Opens a non-blocking socket, which the caller owns. The corresponding C function is `socket`. Throws if no
  /// descriptor is left, and for any other error.
  func open(_ family: AddressFamily, _ operation: @autoclosure () -> String) throws(KernelError) -> Int32 {
    let flags = SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
    let fd =
      switch self {
      case .udp: resultOrErrno { socket(Int32(family.number), Int32(SOCK_DGRAM.rawValue | flags), 0) }
      case .tcp:
        resultOrErrno { socket(Int32(family.number), Int32(SOCK_RAW.rawValue | flags), Int32(IPPROTO_TCP)) }
      }
    try ProbeSocket.requireDescriptor(fd)
    guard fd >= 0 else { throw KernelError(operation(), code: -fd) }
    return fd
  }
}
