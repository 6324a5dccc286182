internal import CLinux
internal import CNftables  // owns the constants of sys/socket.h in a whole-module build
internal import Glibc

/// The open TCP and UDP sockets of a session's listeners.
final class ProbeListeners {
  private struct Open {
    var fd: Int32
    var transport: ProbeTransport
  }

  private var sockets: [Open] = []
  /// The index of the first open one. An index is used once, because an event may come late.
  private var firstIndex = 0

  deinit { for socket in sockets { Self.close(socket) } }

  var count: Int { sockets.count }

  func closeAll() {
    for socket in sockets { Self.close(socket) }
    firstIndex += sockets.count
    sockets = []
  }

  /// Opens all of them or none. Calls `watch` with each socket and its index.
  func open(_ listeners: [Listener], on worker: NamespaceWorker, watch: (Int32, Int) throws -> Void) throws {
    let before = sockets.count
    do {
      try worker.onThread {
        var rest = listeners[...]
        while let namespace = rest.first?.namespace {
          let here = rest.prefix { $0.namespace === namespace }
          rest = rest.dropFirst(here.count)
          try worker.run(in: namespace) {
            for listener in here {
              let fd = try Self.open(listener)
              sockets.append(Open(fd: fd, transport: listener.transport))
              try watch(fd, firstIndex + sockets.count - 1)
            }
          }
        }
      }
    } catch {
      for socket in sockets[before...] { Self.close(socket) }
      sockets.removeSubrange(before...)
      throw error
    }
  }

  /// Answers everything that waits on one socket. `received` returns whether a datagram is a probe's; only then is it
  /// echoed.
  func serve(_ index: Int, received: (ProbeDatagram) -> Bool) throws(KernelError) {
    let place = index - firstIndex
    guard sockets.indices.contains(place) else { return }
    switch sockets[place].transport {
    case .tcp: try accept(from: sockets[place].fd)
    case .udp: echo(on: sockets[place].fd, received: received)
    case .sctp, .ping: break
    }
  }

  /// The corresponding C functions are `socket`, `bind` and `listen`.
  private static func open(_ listener: Listener) throws(KernelError) -> Int32 {
    let address = listener.address
    let operation = "listener on \(listener.transport) \(address)"
    let fd = try ProbeSocket.open(address.family, listener.transport)
    guard fd >= 0 else { throw KernelError(operation, code: -fd) }
    if address.family == .v6 { setOption(fd, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
    var result: Int32 = 0
    switch listener.transport {
    case .tcp:
      // An earlier session's connection may still be closing on this port.
      setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1)
      result = ProbeSocket.bind(fd, to: address)
      if result == 0 { result = resultOrErrno { listen(fd, 4096) } }
    case .udp:
      ProbeSocket.enlargeReceiveBuffer(fd)
      result = ProbeSocket.bind(fd, to: address)
    // `SCTPSockets` answers SCTP, and the kernel answers pings.
    case .sctp, .ping: result = -EPROTONOSUPPORT
    }
    guard result == 0 else {
      Glibc.close(fd)
      throw KernelError(operation, code: -result)
    }
    return fd
  }

  /// The corresponding C functions are `shutdown` and `close`.
  private static func close(_ socket: Open) {
    // A child between fork and exec has a copy of the socket, which alone would keep the port accepting connections.
    if socket.transport == .tcp { shutdown(socket.fd, Int32(SHUT_RDWR)) }
    Glibc.close(socket.fd)
  }

  private func accept(from fd: Int32) throws(KernelError) {
    // Bounded, so that one listener can't block the others. epoll reports the rest again.
    for _ in 0..<256 {
      let connection = cl_accept(fd)
      if connection == -EAGAIN { return }
      try ProbeSocket.requireDescriptor(connection)
      // Other errors belong to the connection (accept(2)). Close with FIN, not RST: a client that learns of its
      // connection only now must not find it reset.
      if connection >= 0 { Glibc.close(connection) }
    }
  }

  private func echo(on fd: Int32, received: (ProbeDatagram) -> Bool) {
    var peer = sockaddr_storage()
    withUnsafeMutablePointer(to: &peer) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { peer in
        for _ in 0..<256 {
          var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
          switch ProbeDatagram.receive(from: fd, peer, &length) {
          case .datagram(let datagram):
            // If the echo can't be sent, the reply is lost, and the probe reports that.
            if received(datagram) { _ = datagram.send(over: fd, to: peer, length) }
          case .foreign, .failed: continue
          case .nothing: return
          }
        }
      }
    }
  }
}
