internal import CNftables
internal import Glibc

/// A netlink socket (netlink(7)). It is in the namespace of the thread that opened it and can be used from any thread.
public struct NetlinkSocket: ~Copyable, Sendable {
  /// The netlink protocol to use.
  public enum Bus: Int32, Sendable {
    /// NETLINK_ROUTE: links, addresses, routes.
    case route = 0
    /// NETLINK_NETFILTER: nf_tables, ipset, conntrack, logs.
    case netfilter = 12
  }

  /// How long `receive` waits.
  public enum Patience: Sendable {
    case none
    case forever
  }

  private let descriptor: OwnedDescriptor
  /// The kernel's ID for this socket, unique within the namespace.
  public let portID: UInt32
  public var fd: Int32 { descriptor.number }

  /// Opens and binds the socket. The corresponding C functions are `socket` and `bind`.
  public init(_ bus: Bus) throws(KernelError) {
    let type = Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = OwnedDescriptor(try call("netlink socket") { socket(AF_NETLINK, type, bus.rawValue) })
    portID = try Self.bindAnywhere(descriptor.number)
    self.descriptor = descriptor

    // Both options exist since Linux 4.12. Without them, errors have less detail.
    set(SOL_NETLINK, NETLINK_EXT_ACK, 1)
    // With this one, an answer carries only the request's header, not the whole request.
    set(SOL_NETLINK, NETLINK_CAP_ACK, 1)
  }

  /// Port 0 lets the kernel choose one. The process ID would work for only one socket.
  private static func bindAnywhere(_ fd: Int32) throws(KernelError) -> UInt32 {
    var address = sockaddr_nl()
    address.nl_family = sa_family_t(AF_NETLINK)
    var length = socklen_t(MemoryLayout<sockaddr_nl>.size)
    try named("bind netlink socket") {
      try withUnsafeMutablePointer(to: &address) {
        try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
          try call("bind netlink socket") { bind(fd, address, length) }
          try call("getsockname of netlink socket") { getsockname(fd, address, &length) }
        }
      }
    }
    return address.nl_pid
  }

  /// Joins a multicast group, such as NFNLGRP_NFTRACE.
  public func join(group: Int32) throws(KernelError) {
    var value = group
    try call("join netlink group \(group)") {
      setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &value, socklen_t(MemoryLayout<Int32>.size))
    }
  }

  /// Whether this process may have buffers beyond net.core.wmem_max and rmem_max: SO_SNDBUFFORCE needs CAP_NET_ADMIN on
  /// the host, which root of a user namespace lacks.
  public static let canForceBuffers: Bool = {
    guard let socket = try? NetlinkSocket(.netfilter) else { return false }
    var value: Int32 = 1 << 20
    return setsockopt(socket.fd, SOL_SOCKET, SO_SNDBUFFORCE, &value, socklen_t(MemoryLayout<Int32>.size)) == 0
  }()

  /// Makes room for a datagram of `bytes`. A larger one is refused with EMSGSIZE.
  ///
  /// SO_SNDBUFFORCE needs CAP_NET_ADMIN on the host. In a user namespace the limit is net.core.wmem_max.
  public func reserveSendBuffer(_ bytes: Int) { reserve(bytes, SO_SNDBUF, SO_SNDBUFFORCE) }

  /// Makes room for a datagram of `bytes` and returns the size that is available.
  public func roomForSending(_ bytes: Int) -> Int {
    reserveSendBuffer(bytes)
    var value: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    // netlink_sendmsg refuses more than the buffer size minus 32 bytes.
    return getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, &length) == 0 ? Int(value) - 32 : bytes
  }

  /// Makes room for unread answers and events. What doesn't fit is lost with ENOBUFS.
  public func reserveReceiveBuffer(_ bytes: Int) { reserve(bytes, SO_RCVBUF, SO_RCVBUFFORCE) }

  /// Sends one datagram. Requested changes are done when this returns.
  ///
  /// The corresponding C function is `send`.
  public func send(_ bytes: UnsafeRawBufferPointer) throws(KernelError) {
    let sent = try call("send over netlink") { Glibc.send(fd, bytes.baseAddress, bytes.count, 0) }
    guard sent == bytes.count else { throw KernelError("send over netlink", code: EMSGSIZE) }
  }

  public func send(_ buffer: NetlinkBuffer) throws(KernelError) {
    try named("send over netlink") { try buffer.bytes.withUnsafeBytes { try send($0) } }
  }

  /// Returns the next datagram; `nil` if none is waiting. ENOBUFS means that earlier ones were lost, and is reported
  /// once.
  public func receive(_ patience: Patience = .none) throws(KernelError) -> [UInt8]? {
    // Dumps come in pieces of at most 32 KiB. An ipset error repeats the request: a nest of 64 KiB and its frame.
    let capacity = 1 << 17
    let flags = Int32(MSG_TRUNC) | (patience == .none ? Int32(MSG_DONTWAIT) : 0)
    var length = 0
    var failure: KernelError?
    let datagram = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
      do throws(KernelError) {
        length = try call("receive over netlink") { recv(fd, buffer.baseAddress, capacity, flags) }
        count = min(length, capacity)
      } catch {
        failure = error
      }
    }
    if let failure {
      if failure.code == EAGAIN { return nil }
      throw failure
    }
    guard length <= capacity else { throw KernelError("receive over netlink", code: EMSGSIZE) }
    return datagram
  }

  /// Passes every waiting message to `body`. Returns true if some were lost (ENOBUFS).
  func drain(_ body: (NetlinkMessage) -> Void) throws(KernelError) -> Bool {
    var lost = false
    while true {
      let received: [UInt8]?
      do throws(KernelError) {
        received = try receive()
      } catch {
        guard error.code == ENOBUFS else { throw error }
        lost = true
        continue
      }
      guard let received else { return lost }
      for message in NetlinkMessageSequence(received) { body(message) }
    }
  }

  /// The same for answers only. The kernel has answered by the time `send` returns.
  func drainAnswers(_ body: (NetlinkAnswer) -> Void) throws(KernelError) -> Bool {
    try drain { message in
      if let answer = message.answer { body(answer) }
    }
  }

  private func reserve(_ bytes: Int, _ option: Int32, _ force: Int32) {
    var value: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    // The kernel reserves 32 bytes of the buffer for itself, and reports twice the size that was set.
    if getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0, Int(value) >= bytes + 32 { return }
    let wanted = Int32(clamping: bytes + 32)
    if !set(SOL_SOCKET, force, wanted) { set(SOL_SOCKET, option, wanted) }
  }

  @discardableResult
  private func set(_ level: Int32, _ option: Int32, _ value: Int32) -> Bool {
    var value = value
    return setsockopt(fd, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0
  }
}
