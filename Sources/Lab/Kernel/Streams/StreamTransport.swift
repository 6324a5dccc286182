internal import CNftables  // owns the constants of sys/socket.h in a whole-module build
internal import Glibc

/// What a stream is made of.
public enum StreamTransport: String, Hashable, Sendable, CaseIterable {
  /// Datagrams of 16 bytes, to a socket that reads them.
  case udp
  /// SYNs without options and data, over raw sockets. Nobody answers them: to connection tracking each one is new.
  case tcp

  /// Opens a non-blocking socket, which is the caller's. The corresponding C function is `socket`.
  /// Throws when no descriptor is left, and for all else that the kernel refuses.
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
