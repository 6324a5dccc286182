internal import CNftables  // owns the constants of sys/socket.h in a whole-module build
internal import Glibc

/// One request as an application would make it, and how long it took.
public struct TimedRequest: Hashable, Sendable {
  public enum Outcome: Hashable, Sendable {
    /// A connection was made, or a reply came.
    case answered
    /// ECONNREFUSED: a reset, or ICMP "port unreachable".
    case refused
    /// Nothing came within `patience`.
    case silent
    /// Any other errno: the kernel's reading of an ICMP error, no route, or a chain at the output hook that drops.
    case failed(KernelError)

    init(_ code: Int32, _ operation: String) {
      self =
        switch code {
        case 0: .answered
        case ECONNREFUSED: .refused
        case EAGAIN, ETIMEDOUT: .silent
        default: .failed(KernelError(operation, code: code))
        }
    }
  }

  public let outcome: Outcome
  /// Nanoseconds on `MonotonicClock`: before the request was handed to the kernel.
  public let start: UInt64
  /// Nanoseconds on `MonotonicClock`: when the outcome was known.
  public let end: UInt64

  /// Opens a TCP connection and aborts it. Returns shortly after `patience` at the latest. The kernel repeats a lost
  /// SYN after 1 s. Throws if no socket can be opened.
  public static func tcpConnect(
    from source: NetworkNamespace, sourceAddress: [UInt8]? = nil, to destination: ProbeAddress, patience: Duration,
    worker: NamespaceWorker
  ) throws -> TimedRequest {
    let socket = try RequestSocket(.tcp, from: source, sourceAddress: sourceAddress, to: destination, worker: worker)
    return socket.connect(patience: patience)
  }

  /// Sends one datagram from a connected socket that asks for ICMP errors, and waits for its echo. Nothing is repeated.
  /// Throws if no socket can be opened.
  public static func udpRequest(
    from source: NetworkNamespace, sourceAddress: [UInt8]? = nil, to destination: ProbeAddress, patience: Duration,
    worker: NamespaceWorker
  ) throws -> TimedRequest {
    try HeldConnection.udp(from: source, sourceAddress: sourceAddress, to: destination, worker: worker)
      .ask(patience: patience)
  }
}
