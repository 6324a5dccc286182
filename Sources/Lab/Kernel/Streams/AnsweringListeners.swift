internal import CLinux
internal import CNftables  // owns the constants of sys/socket.h in a whole-module build
internal import Glibc

/// Listeners that tell everybody who asks who they are. They are served on a thread of their own for as long as the value
/// lives.
public final class AnsweringListeners {
  /// A port of a machine, and what it answers.
  public struct Port: Sendable {
    public enum Answer: Sendable {
      /// Over TCP: sent to everybody who connects.
      case toConnection([UInt8])
      /// Over UDP: sent back for a datagram.
      case toDatagram(@Sendable ([UInt8]) -> [UInt8])
    }

    public let namespace: NetworkNamespace
    public let address: ProbeAddress
    public let answer: Answer

    public init(in namespace: NetworkNamespace, on address: ProbeAddress, _ answer: Answer) {
      self.namespace = namespace
      self.address = address
      self.answer = answer
    }

    /// The same port on every address of the family.
    public static func everywhere(_ family: AddressFamily, _ port: UInt16) -> ProbeAddress {
      ProbeAddress(ProbeAddress.unspecified(family), port: port)
    }
  }

  private let thread: JoinedThread
  /// One end of a pipe. Closing it ends the thread.
  private var lifeline: OwnedDescriptor?
  /// The number of ports that are open. Of several at one address only the first is.
  public let count: Int

  /// Throws `KernelError` if a socket can't be opened.
  public init(_ ports: [Port], worker: NamespaceWorker) throws {
    var ends: [Int32] = [0, 0]
    try checked("pipe2", cl_output_pipe(&ends))
    lifeline = OwnedDescriptor(ends[1])
    let answers = try Answers(ports, ending: OwnedDescriptor(ends[0]), worker: worker)
    count = answers.count
    thread = try JoinedThread { answers.run() }
  }

  deinit {
    lifeline = nil
    thread.join()
  }
}

/// Unchecked: only the listeners' thread uses it once it has been created.
private final class Answers: @unchecked Sendable {
  private let epoll: Epoll
  private let ending: OwnedDescriptor
  private var open: [Int32: AnsweringListeners.Port.Answer] = [:]
  private var connections: Set<Int32> = []
  private var isOver = false

  var count: Int { open.count }

  init(_ ports: [AnsweringListeners.Port], ending: consuming OwnedDescriptor, worker: NamespaceWorker) throws {
    epoll = try Epoll()
    self.ending = ending
    try epoll.add(self.ending.number, token: UInt64(self.ending.number), for: .input)
    for port in ports {
      let fd = try worker.run(in: port.namespace) { try Self.open(port) }
      // Another listener has the port.
      guard fd >= 0 else { continue }
      open[fd] = port.answer
      try epoll.add(fd, token: UInt64(fd), for: .input)
    }
  }

  deinit { for fd in Array(open.keys) + connections { close(fd) } }

  /// Returns -1 if the address is taken.
  private static func open(_ port: AnsweringListeners.Port) throws(KernelError) -> Int32 {
    let transport: ProbeTransport = if case .toConnection = port.answer { .tcp } else { .udp }
    let fd = try ProbeSocket.open(port.address.family, transport)
    guard fd >= 0 else { throw KernelError("listener on \(transport) \(port.address)", code: -fd) }
    if port.address.family == .v6 { setOption(fd, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
    if transport == .tcp { setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1) }
    var result = ProbeSocket.bind(fd, to: port.address)
    if result == 0, transport == .tcp { result = resultOrErrno { listen(fd, 128) } }
    if result == 0 { return fd }
    close(fd)
    if result == -EADDRINUSE { return -1 }
    throw KernelError("listener on \(transport) \(port.address)", code: -result)
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
    if fd == ending.number {
      isOver = true
      return
    }
    switch open[fd] {
    case .toConnection(let text): accept(fd, text)
    case .toDatagram(let answer): self.answer(fd, answer)
    case nil: if !isStillOpen(fd) { forget(fd) }
    }
  }

  /// Says who is there and that there is no more. What the other end sends is read until it has enough too, because
  /// close(2) with something unread would reset the connection.
  private func accept(_ fd: Int32, _ text: [UInt8]) {
    let connection = cl_accept(fd)
    if connection == -EMFILE || connection == -ENFILE { usleep(1000) }
    guard connection >= 0 else { return }
    connections.insert(connection)
    let sent = resultOrErrno {
      text.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)) }
    }
    shutdown(connection, Int32(SHUT_WR))
    do {
      if sent < 0 { return forget(connection) }
      try epoll.add(connection, token: UInt64(connection), for: .input)
    } catch {
      forget(connection)
    }
  }

  private func forget(_ connection: Int32) {
    connections.remove(connection)
    close(connection)
  }

  private func isStillOpen(_ connection: Int32) -> Bool {
    withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { bytes in
      let count = resultOrErrno { recv(connection, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT)) }
      return count > 0 || count == -Int(EAGAIN)
    }
  }

  private func answer(_ fd: Int32, _ answer: ([UInt8]) -> [UInt8]) {
    withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { bytes in
      var peer = sockaddr_storage()
      withUnsafeMutablePointer(to: &peer) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { peer in
          for _ in 0..<256 {
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let count = resultOrErrno {
              recvfrom(fd, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT), peer, &length)
            }
            if count < 0 { return }
            let reply = answer(Array(bytes[..<count]))
            // If it can't be sent, it is lost, as datagrams are.
            _ = resultOrErrno { reply.withUnsafeBytes { sendto(fd, $0.baseAddress, $0.count, 0, peer, length) } }
          }
        }
      }
    }
  }
}
