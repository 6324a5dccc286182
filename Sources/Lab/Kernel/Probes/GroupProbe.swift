internal import CNftables  // owns the constants of sys/socket.h in a whole-module build
internal import Glibc

/// Sends one datagram to an IPv4 multicast group and checks whether one listener receives it.
///
/// There is no reply, because the listener's own packet would be another flow. REJECT sends no answer to multicast
/// packets (RFC 1122, 3.2.2), so a datagram that a rule stops is silent, whatever the rule's target is.
public struct GroupProbe: Sendable {
  public var sender: NetworkNamespace
  public var sourceAddress: [UInt8]
  public var listener: NetworkNamespace
  /// Address of the interface on which the listener joins the group.
  public var listenerAddress: [UInt8]
  public var group: ProbeAddress

  public init(
    from sender: NetworkNamespace, _ sourceAddress: [UInt8], to listener: NetworkNamespace,
    _ listenerAddress: [UInt8], group: ProbeAddress
  ) {
    self.sender = sender
    self.sourceAddress = sourceAddress
    self.listener = listener
    self.listenerAddress = listenerAddress
    self.group = group
  }

  /// Sends the datagram, sends it again after half the timeout, and waits. Throws if a socket can't be opened or the
  /// group can't be joined.
  public func observe(on worker: NamespaceWorker, timeout: Duration) throws -> ProbeOutcome {
    guard group.family == .v4, sourceAddress.count == 4, listenerAddress.count == 4 else {
      return .unusable("IPv6 multicast groups are not probed")
    }
    let receiving = OwnedDescriptor(try worker.run(in: listener) { try Self.socket() })
    setOption(receiving.number, SOL_SOCKET, SO_REUSEADDR, 1)
    // Binds to the group and not to any address, since another listener may use the port on an address of its own.
    try check("bind to \(group)", ProbeSocket.bind(receiving.number, to: group))
    // struct ip_mreq of linux/in.h: the group, then the address of the interface.
    try check(
      "join \(group)",
      setBytes(receiving.number, Int32(IPPROTO_IP), IP_ADD_MEMBERSHIP, group.bytes + listenerAddress))
    let sending = OwnedDescriptor(try worker.run(in: sender) { try Self.socket() })
    let source = ProbeAddress(sourceAddress, port: 0)
    try check("bind to \(source)", ProbeSocket.bind(sending.number, to: source))
    try check(
      "IP_MULTICAST_IF", setBytes(sending.number, Int32(IPPROTO_IP), IP_MULTICAST_IF, sourceAddress))
    let datagram = ProbeDatagram(nonce: .random(in: 1 ... .max), index: 0)
    let half = timeout.nanoseconds / 2
    for _ in 0..<2 {
      let code = group.withSocketAddress { address, length in
        datagram.send(over: sending.number, to: UnsafeMutablePointer(mutating: address), length)
      }
      if code == EPERM || code == EACCES { return .refused(.local) }
      if code != 0 { return .unusable(KernelError("send to \(group)", code: code).description) }
      if Self.waits(for: datagram, on: receiving.number, until: MonotonicClock.now + half) { return .delivered }
    }
    return .silent(after: timeout)
  }

  private static func waits(for datagram: ProbeDatagram, on fd: Int32, until deadline: UInt64) -> Bool {
    while true {
      switch ProbeDatagram.receive(from: fd) {
      case .datagram(let received): if received == datagram { return true }
      case .foreign: continue
      case .failed, .nothing:
        let now = MonotonicClock.now
        if now >= deadline { return false }
        var poller = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
        _ = resultOrErrno { poll(&poller, 1, Int32(clamping: (deadline - now) / 1_000_000 + 1)) }
      }
    }
  }

  private static func socket() throws(KernelError) -> Int32 {
    let fd = try ProbeSocket.open(.v4, .udp)
    guard fd >= 0 else { throw KernelError("socket of a group probe", code: -fd) }
    return fd
  }

  private func setBytes(_ fd: Int32, _ level: Int32, _ option: Int32, _ bytes: [UInt8]) -> Int32 {
    resultOrErrno { bytes.withUnsafeBytes { setsockopt(fd, level, option, $0.baseAddress, socklen_t($0.count)) } }
  }

  private func check(_ operation: String, _ result: Int32) throws(KernelError) {
    if result < 0 { throw KernelError(operation, code: -result) }
  }
}
