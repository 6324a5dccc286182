internal import Glibc

/// A TCP socket that is bound and doesn't listen yet. A server elsewhere in this process can take it over, and then
/// listens in the namespace where the socket was made (network_namespaces(7)).
public struct BoundSocket: ~Copyable {
  private let fd: Int32
  public let port: UInt16

  /// In the calling thread's namespace, at any free port of an address of 4 or 16 bytes.
  public init(at address: [UInt8]) throws(KernelError) {
    let address = ProbeAddress(address, port: 0)
    let fd = try ProbeSocket.open(address.family, .tcp)
    guard fd >= 0 else { throw KernelError("open a server's socket", code: -fd) }
    setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1)
    let result = ProbeSocket.bind(fd, to: address)
    let port = result == 0 ? Self.port(of: fd) : 0
    if port == 0 {
      close(fd)
      throw KernelError("bind a server's socket to \(address)", code: -result)
    }
    self.fd = fd
    self.port = port
  }

  deinit { close(fd) }

  /// The descriptor, which the caller owns from then on.
  public consuming func take() -> Int32 {
    let fd = fd
    discard self
    return fd
  }

  /// Both families have the port at the same place (struct sockaddr_in, sockaddr_in6). 0 if the kernel doesn't tell.
  private static func port(of fd: Int32) -> UInt16 {
    var address = sockaddr_in6()
    var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    let result = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(fd, $0, &length) }
    }
    return result == 0 ? UInt16(bigEndian: address.sin6_port) : 0
  }
}
