internal import CLinux
internal import CNftables  // owns the constants of sys/socket.h in a whole-module build
internal import Glibc

/// Echoes everything sent to one address over TCP and UDP. Runs on its own thread for as long as the value lives.
public final class EchoServer {
  private let thread: JoinedThread
  /// One end of a pipe. Closing it ends the thread.
  private var lifeline: OwnedDescriptor?

  /// Opens both listeners. Throws EADDRINUSE if one of them is taken.
  public init(on address: ProbeAddress, in namespace: NetworkNamespace, worker: NamespaceWorker) throws {
    var ends: [Int32] = [0, 0]
    try checked("pipe2", cl_output_pipe(&ends))
    lifeline = OwnedDescriptor(ends[1])
    let echoes = try Echoes(on: address, in: namespace, ending: OwnedDescriptor(ends[0]), worker: worker)
    thread = try JoinedThread { echoes.run() }
  }

  deinit {
    lifeline = nil
    thread.join()
  }
}

/// Unchecked: only the server's thread uses it once it has been created.
private final class Echoes: @unchecked Sendable {
  private let epoll: Epoll
  private let ending: OwnedDescriptor
  private let listener: OwnedDescriptor
  private let datagrams: OwnedDescriptor
  private var connections: Set<Int32> = []
  private var isOver = false

  init(
    on address: ProbeAddress, in namespace: NetworkNamespace, ending: consuming OwnedDescriptor, worker: NamespaceWorker
  ) throws {
    epoll = try Epoll()
    self.ending = ending
    listener = try Self.open(.tcp, on: address, in: namespace, worker)
    datagrams = try Self.open(.udp, on: address, in: namespace, worker)
    for fd in [self.ending.number, listener.number, datagrams.number] {
      try epoll.add(fd, token: UInt64(fd), for: .input)
    }
  }

  deinit { for connection in connections { close(connection) } }

  private static func open(
    _ transport: ProbeTransport, on address: ProbeAddress, in namespace: NetworkNamespace, _ worker: NamespaceWorker
  ) throws -> OwnedDescriptor {
    let operation = "echo server on \(transport) \(address)"
    let fd = try worker.run(in: namespace) { try ProbeSocket.open(address.family, transport) }
    guard fd >= 0 else { throw KernelError(operation, code: -fd) }
    let socket = OwnedDescriptor(fd)
    if address.family == .v6 { setOption(fd, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
    if transport == .tcp { setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1) }
    try takeOver(operation) { ProbeSocket.bind(fd, to: address) }
    if transport == .tcp { try takeOver(operation) { resultOrErrno { listen(fd, 4096) } } }
    return socket
  }

  func run() {
    while !isOver {
      do {
        try epoll.drain(waiting: -1) { token, _ in serve(Int32(truncatingIfNeeded: token)) }
      } catch {
        // epoll_wait(2) fails only for a wrong descriptor.
        return
      }
    }
  }

  private func serve(_ fd: Int32) {
    switch fd {
    case ending.number: isOver = true
    case listener.number: accept()
    case datagrams.number: echoDatagrams()
    default: if !echoBytes(fd) { forget(fd) }
    }
  }

  private func accept() {
    let connection = cl_accept(listener.number)
    if connection == -EMFILE || connection == -ENFILE { usleep(1000) }
    guard connection >= 0 else { return }
    connections.insert(connection)
    do {
      try epoll.add(connection, token: UInt64(connection), for: .input)
    } catch {
      forget(connection)
    }
  }

  private func forget(_ connection: Int32) {
    connections.remove(connection)
    close(connection)
  }

  /// Echoes the bytes that wait. Returns false if the connection has ended or failed, or if the peer doesn't read.
  private func echoBytes(_ connection: Int32) -> Bool {
    withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { bytes in
      let count = resultOrErrno { recv(connection, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT)) }
      if count == -Int(EAGAIN) { return true }
      guard count > 0 else { return false }
      let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
      return resultOrErrno { send(connection, bytes.baseAddress, count, flags) } == count
    }
  }

  private func echoDatagrams() {
    withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { bytes in
      var peer = sockaddr_storage()
      withUnsafeMutablePointer(to: &peer) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { peer in
          for _ in 0..<256 {
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let count = resultOrErrno { recvfrom(datagrams.number, bytes.baseAddress, bytes.count, 0, peer, &length) }
            if count < 0 { return }
            // If the echo can't be sent, the reply is lost, and the other end reports that.
            _ = resultOrErrno { sendto(datagrams.number, bytes.baseAddress, count, 0, peer, length) }
          }
        }
      }
    }
  }
}
