internal import CNftables  // owns the constants of sys/socket.h in a whole-module build
internal import Glibc

/// A TCP connection, or a UDP flow, that is kept open and asked again later: does it still carry data?
///
/// The other end is an `EchoServer`. One thread at a time may ask.
public final class HeldConnection {
  private enum Kind {
    /// Bytes that the server owes: it sends them back in order.
    case tcp(owed: Int)
    /// What tells this flow's datagrams from others', and how many were sent.
    case udp(nonce: UInt64, sent: UInt64)
  }

  private let socket: RequestSocket
  private let destination: ProbeAddress
  private var kind: Kind

  private init(_ socket: consuming RequestSocket, to destination: ProbeAddress, _ kind: Kind) {
    self.socket = socket
    self.destination = destination
    self.kind = kind
  }

  /// Connects; nil beside a request that wasn't answered. Throws when no socket can be had.
  public static func tcp(
    from source: NetworkNamespace, sourceAddress: [UInt8]? = nil, to destination: ProbeAddress, patience: Duration,
    worker: NamespaceWorker
  ) throws -> (connection: HeldConnection?, request: TimedRequest) {
    let socket = try RequestSocket(.tcp, from: source, sourceAddress: sourceAddress, to: destination, worker: worker)
    let request = socket.connect(patience: patience)
    guard request.outcome == .answered else { return (nil, request) }
    return (HeldConnection(socket, to: destination, .tcp(owed: 0)), request)
  }

  /// A flow of which nothing has been sent; `ask` makes it known on the way. Throws when no socket can be had, or the
  /// source has no route.
  public static func udp(
    from source: NetworkNamespace, sourceAddress: [UInt8]? = nil, to destination: ProbeAddress, worker: NamespaceWorker
  ) throws -> HeldConnection {
    let socket = try RequestSocket(.udp, from: source, sourceAddress: sourceAddress, to: destination, worker: worker)
    let result = ProbeSocket.connect(socket.fd, to: destination)
    guard result == 0 else { throw KernelError("connect to \(destination)", code: -result) }
    return HeldConnection(socket, to: destination, .udp(nonce: .random(in: .min ... .max), sent: 0))
  }

  /// Sends a byte, or a datagram, and waits for its echo.
  ///
  /// What is lost of a TCP connection the kernel repeats, at ever longer intervals from 0.2 s on: one that was stopped
  /// for a while may be silent longer than it is stopped.
  public func ask(patience: Duration) -> TimedRequest {
    let start = MonotonicClock.now
    let code: Int32
    switch kind {
    case .tcp(let owed): code = askStream(owed: owed, until: start + patience.nanoseconds)
    case .udp(let nonce, let sent):
      kind = .udp(nonce: nonce, sent: sent + 1)
      code = askFlow(ProbeDatagram(nonce: nonce, index: sent), until: start + patience.nanoseconds)
    }
    return TimedRequest(outcome: .init(code, "request to \(destination)"), start: start, end: MonotonicClock.now)
  }

  private func askStream(owed: Int, until deadline: UInt64) -> Int32 {
    var byte: UInt8 = 0
    let sent = resultOrErrno { send(socket.fd, &byte, 1, Int32(MSG_NOSIGNAL)) }
    if sent < 0 { return Int32(-sent) }
    var owed = owed + 1
    defer { kind = .tcp(owed: owed) }
    while owed > 0 {
      guard socket.becomes(Int16(POLLIN), until: deadline) else { return ETIMEDOUT }
      var echo: UInt64 = 0
      let count = resultOrErrno { recv(socket.fd, &echo, min(owed, MemoryLayout<UInt64>.size), 0) }
      if count == -Int(EAGAIN) { continue }
      if count <= 0 { return count == 0 ? ECONNRESET : Int32(-count) }
      owed -= count
    }
    return 0
  }

  private func askFlow(_ datagram: ProbeDatagram, until deadline: UInt64) -> Int32 {
    // An error about an earlier datagram may wait; it would be this send's, which then sends nothing.
    _ = ProbeSocket.pendingError(socket.fd)
    while ICMPError.next(on: socket.fd) != nil {}
    let failure = datagram.send(over: socket.fd)
    if failure != 0 { return failure }
    while socket.becomes(Int16(POLLIN), until: deadline) {
      switch ProbeDatagram.receive(from: socket.fd) {
      case .datagram(let echo) where echo == datagram: return 0
      case .failed(let code): return code
      // The late echo of an earlier one, or nothing but a queued ICMP error, which must not be found ready again.
      case .datagram, .foreign, .nothing: while ICMPError.next(on: socket.fd) != nil {}
      }
    }
    return ETIMEDOUT
  }
}
