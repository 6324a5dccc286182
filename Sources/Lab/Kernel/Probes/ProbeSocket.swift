internal import CLinux
internal import Glibc

/// Returns the result of a system call, or -errno; retries after EINTR. For failures that are evidence about the
/// network.
@inline(never)
func resultOrErrno<Result: SignedInteger & FixedWidthInteger>(_ body: () -> Result) -> Result {
  while true {
    let result = body()
    if result != -1 { return result }
    let code = cl_errno()
    if code != EINTR { return -Result(code) }
  }
}

/// Sets an integer option. Returns whether the kernel accepted it.
@discardableResult
func setOption(_ fd: Int32, _ level: Int32, _ option: Int32, _ value: Int32) -> Bool {
  var value = value
  return setsockopt(fd, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0
}

/// The system calls that a probe makes on its socket. The run owns the socket and closes it.
enum ProbeSocket {
  /// The corresponding C function is `socket`. Throws if no descriptor is left; returns -errno for all other errors.
  static func open(_ family: AddressFamily, _ transport: ProbeTransport) throws(KernelError) -> Int32 {
    var fd = resultOrErrno { socket(Int32(family.number), transport.socketType, transport.socketProtocol(family)) }
    if fd == -EACCES, transport == .ping {
      // A new namespace has an empty range. Group 0 is mapped in every user namespace of the lab.
      try Sysctl.write("net/ipv4/ping_group_range", "0 0")
      fd = resultOrErrno { socket(Int32(family.number), transport.socketType, transport.socketProtocol(family)) }
    }
    try requireDescriptor(fd)
    return fd
  }

  /// Throws if a call failed because too many files are open, which is no evidence about the network.
  static func requireDescriptor(_ result: Int32) throws(KernelError) {
    guard result == -EMFILE || result == -ENFILE else { return }
    throw KernelError("open a probe's socket", code: -result)
  }

  /// Asks for ICMP errors in the error queue, and lets TCP retry for longer than `seconds`, so that the caller's
  /// timeout decides.
  static func prepare(_ fd: Int32, _ family: AddressFamily, _ transport: ProbeTransport, seconds: Int32) {
    requestErrors(fd, family)
    // n retransmissions of the SYN, at least a second apart (net.ipv4.tcp_syn_linear_timeouts), take longer than n s.
    if transport == .tcp { setOption(fd, Int32(IPPROTO_TCP), TCP_SYNCNT, min(max(seconds, 1), 127)) }
  }

  /// Asks for ICMP errors in the error queue.
  static func requestErrors(_ fd: Int32, _ family: AddressFamily) {
    switch family {
    case .v4: setOption(fd, Int32(IPPROTO_IP), IP_RECVERR, 1)
    case .v6: setOption(fd, Int32(IPPROTO_IPV6), IPV6_RECVERR, 1)
    }
  }

  /// Sets the code point of the socket's packets (IP_TOS of ip(7), IPV6_TCLASS): the upper six bits of the byte.
  static func setCodePoint(_ fd: Int32, _ family: AddressFamily, _ codePoint: UInt8) {
    switch family {
    case .v4: setOption(fd, Int32(IPPROTO_IP), IP_TOS, Int32(codePoint) << 2)
    case .v6: setOption(fd, Int32(IPPROTO_IPV6), IPV6_TCLASS, Int32(codePoint) << 2)
    }
  }

  /// Enlarges the receive buffer: the default holds about 270 small packets. FORCE is for root only; without it the
  /// limit is net.core.rmem_max.
  static func enlargeReceiveBuffer(_ fd: Int32) {
    if !setOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, 1 << 21) { setOption(fd, SOL_SOCKET, SO_RCVBUF, 1 << 21) }
  }

  /// The corresponding C function is `bind`.
  static func bind(_ fd: Int32, to address: ProbeAddress) -> Int32 {
    resultOrErrno { address.withSocketAddress { Glibc.bind(fd, $0, $1) } }
  }

  /// The corresponding C function is `connect`. EINPROGRESS counts as success.
  static func connect(_ fd: Int32, to address: ProbeAddress) -> Int32 {
    let result = resultOrErrno { address.withSocketAddress { Glibc.connect(fd, $0, $1) } }
    return result == -EINPROGRESS ? 0 : result
  }

  /// Returns the socket's pending error and clears it (SO_ERROR); 0 if there is none.
  static func pendingError(_ fd: Int32) -> Int32 {
    var code: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    let result = resultOrErrno { getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &length) }
    return result < 0 ? -result : code
  }

  /// Makes `close` abort the connection with RST, which leaves no TIME_WAIT behind (SO_LINGER).
  static func abortOnClose(_ fd: Int32) {
    var abort = linger(l_onoff: 1, l_linger: 0)
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, socklen_t(MemoryLayout<linger>.size))
  }
}
