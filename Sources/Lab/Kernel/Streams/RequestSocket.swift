internal import CNftables  // owns the constants of sys/socket.h in a whole-module build
internal import Glibc

/// A non-blocking socket with one source and one destination.
struct RequestSocket: ~Copyable, Sendable {
  private let socket: OwnedDescriptor
  private let destination: ProbeAddress

  /// The corresponding C functions are `socket` and `bind`.
  init(
    _ transport: ProbeTransport, from source: NetworkNamespace, sourceAddress: [UInt8]?, to destination: ProbeAddress,
    worker: NamespaceWorker
  ) throws {
    self.destination = destination
    socket = try Self.open(transport, from: source, sourceAddress, to: destination, worker)
  }

  private static func open(
    _ transport: ProbeTransport, from source: NetworkNamespace, _ sourceAddress: [UInt8]?, to destination: ProbeAddress,
    _ worker: NamespaceWorker
  ) throws -> OwnedDescriptor {
    let fd = try worker.run(in: source) { try ProbeSocket.open(destination.family, transport) }
    guard fd >= 0 else { throw KernelError("socket for a request to \(destination)", code: -fd) }
    let socket = OwnedDescriptor(fd)
    if transport == .tcp {
      ProbeSocket.abortOnClose(fd)
    } else {
      ProbeSocket.requestErrors(fd, destination.family)
    }
    if let sourceAddress {
      let bound = ProbeSocket.bind(fd, to: ProbeAddress(sourceAddress, port: 0))
      guard bound == 0 else { throw KernelError("bind a request to \(addressText(sourceAddress))", code: -bound) }
    }
    return socket
  }

  var fd: Int32 { socket.number }

  /// The corresponding C function is `connect`.
  func connect(patience: Duration) -> TimedRequest {
    let start = MonotonicClock.now
    var code = -ProbeSocket.connect(fd, to: destination)
    if code == 0 {
      code = becomes(Int16(POLLOUT), until: start + patience.nanoseconds) ? ProbeSocket.pendingError(fd) : ETIMEDOUT
    }
    return TimedRequest(
      outcome: .init(code, "connect to \(destination)"), start: start, end: MonotonicClock.now)
  }

  /// Whether the socket became ready, or has a pending error, before the deadline. The corresponding C function is
  /// `poll`.
  func becomes(_ events: Int16, until deadline: UInt64) -> Bool {
    while true {
      var entry = pollfd(fd: fd, events: events, revents: 0)
      let now = MonotonicClock.now
      let left = deadline > now ? Int32(clamping: (deadline - now + 999_999) / 1_000_000) : 0
      if poll(&entry, 1, left) > 0 { return true }
      if left == 0 { return false }
    }
  }
}
