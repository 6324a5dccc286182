internal import CNftables  // owns the constants of sys/socket.h in a whole-module build
internal import Glibc

/// A TCP connection or a UDP flow that is kept open and tested later: does it still carry data?
///
/// The other end is an `EchoServer`. Only one thread at a time may call `ask`.
public final class HeldConnection {
  private enum Kind {
    /// Number of bytes that the server still has to echo. It echoes them in order.
    case tcp(owed: Int)
    /// The nonce of this flow's datagrams, and how many were sent.
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

  /// Connects. The connection is `nil` if the request wasn't answered. Throws if no socket can be opened.
  public static func tcp(
    from source: NetworkNamespace, sourceAddress: [UInt8]? = nil, to destination: ProbeAddress, patience: Duration,
    worker: NamespaceWorker
  ) throws -> (connection: HeldConnection?, request: TimedRequest) {
    let socket = try RequestSocket(.tcp, from: source, sourceAddress: sourceAddress, to: destination, worker: worker)
    let request = socket.connect(patience: patience)
    guard request.outcome == .answered else { return (nil, request) }
    return (HeldConnection(socket, to: destination, .tcp(owed: 0)), request)
  }

  /// A flow on which nothing has been sent yet. The first `ask` creates its conntrack entries on the path. Throws if no
  /// socket can be opened, or if the source has no route.
  public static func udp(
    from source: NetworkNamespace, sourceAddress: [UInt8]? = nil, to destination: ProbeAddress, worker: NamespaceWorker
  ) throws -> HeldConnection {
    let socket = try RequestSocket(.udp, from: source, sourceAddress: sourceAddress, to: destination, worker: worker)
    let result = ProbeSocket.connect(socket.fd, to: destination)
    guard result == 0 else { throw KernelError("connect to \(destination)", code: -result) }
    return HeldConnection(socket, to: destination, .udp(nonce: .random(in: .min ... .max), sent: 0))
  }

  /// Sends a byte or a datagram, and waits for its echo.
  ///
  /// The kernel repeats lost data of a TCP connection at growing intervals, starting at 0.2 s. So a connection that was
  /// blocked for a while may stay silent longer than it was blocked.
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
    // A pending error about an earlier datagram would fail this send, which would then send nothing.
    _ = ProbeSocket.pendingError(socket.fd)
    while ICMPError.next(on: socket.fd) != nil {}
    let failure = datagram.send(over: socket.fd)
    if failure != 0 { return failure }
    while socket.becomes(Int16(POLLIN), until: deadline) {
      switch ProbeDatagram.receive(from: socket.fd) {
      case .datagram(let echo) where echo == datagram: return 0
      case .failed(let code): return code
      // A late echo of an earlier datagram, or only a queued ICMP error, which must not be reported as ready again.
      case .datagram, .foreign, .nothing: while ICMPError.next(on: socket.fd) != nil {}
      }
    }
    return ETIMEDOUT
  }
}
