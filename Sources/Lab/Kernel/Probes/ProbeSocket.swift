internal import CLinux
internal import Glibc

/// The result of a system call, or -errno; again after EINTR. For failures that say something about the network.
@inline(never)
func resultOrErrno<Result: SignedInteger & FixedWidthInteger>(_ body: () -> Result) -> Result {
  while true {
    let result = body()
    if result != -1 { return result }
    let code = cl_errno()
    if code != EINTR { return -Result(code) }
  }
}

/// Sets an integer option; whether the kernel took it.
@discardableResult
func setOption(_ fd: Int32, _ level: Int32, _ option: Int32, _ value: Int32) -> Bool {
  var value = value
  return setsockopt(fd, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0
}

/// The calls a probe makes on its socket. The socket belongs to the run, which closes it.
enum ProbeSocket {
  /// The corresponding C function is `socket`. Throws when no descriptor is left; returns -errno for all else.
  static func open(_ family: AddressFamily, _ transport: ProbeTransport) throws(KernelError) -> Int32 {
    var fd = resultOrErrno { socket(Int32(family.number), transport.socketType, transport.socketProtocol(family)) }
    if fd == -EACCES, transport == .ping {
      // A namespace begins with an empty range; group 0 is mapped in every user namespace of the lab.
      try Sysctl.write("net/ipv4/ping_group_range", "0 0")
      fd = resultOrErrno { socket(Int32(family.number), transport.socketType, transport.socketProtocol(family)) }
    }
    try requireDescriptor(fd)
    return fd
  }

  /// Throws if a call failed because there are too many open files: that says nothing about the network.
  static func requireDescriptor(_ result: Int32) throws(KernelError) {
    guard result == -EMFILE || result == -ENFILE else { return }
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    let bound = result == -EMFILE ? "RLIMIT_NOFILE is \(limit.rlim_cur)" : "the limit is in /proc/sys/fs/file-max"
    throw KernelError(
      "open a probe's socket", code: -result, message: "\(bound); raise it, or let fewer probes run in parallel")
  }

  /// Asks for ICMP errors in the error queue, and for patience that outlasts `seconds`: the caller's timeout decides.
  static func prepare(_ fd: Int32, _ family: AddressFamily, _ transport: ProbeTransport, seconds: Int32) {
    requestErrors(fd, family)
    // n retransmissions of the SYN, a second apart (net.ipv4.tcp_syn_linear_timeouts) or more, last longer than n s.
    if transport == .tcp { setOption(fd, Int32(IPPROTO_TCP), TCP_SYNCNT, min(max(seconds, 1), 127)) }
  }

  /// Asks for ICMP errors in the error queue.
  static func requestErrors(_ fd: Int32, _ family: AddressFamily) {
    switch family {
    case .v4: setOption(fd, Int32(IPPROTO_IP), IP_RECVERR, 1)
    case .v6: setOption(fd, Int32(IPPROTO_IPV6), IPV6_RECVERR, 1)
    }
  }

  /// The default holds some 270 small packets. FORCE is for root only; without it net.core.rmem_max is the bound.
  static func enlargeReceiveBuffer(_ fd: Int32) {
    if !setOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, 1 << 21) { setOption(fd, SOL_SOCKET, SO_RCVBUF, 1 << 21) }
  }

  /// The corresponding C function is `bind`.
  static func bind(_ fd: Int32, to address: ProbeAddress) -> Int32 {
    resultOrErrno { address.withSocketAddress { Glibc.bind(fd, $0, $1) } }
  }

  /// The corresponding C function is `connect`; its EINPROGRESS is a success here.
  static func connect(_ fd: Int32, to address: ProbeAddress) -> Int32 {
    let result = resultOrErrno { address.withSocketAddress { Glibc.connect(fd, $0, $1) } }
    return result == -EINPROGRESS ? 0 : result
  }

  /// The error that waits on the socket, which forgets it (SO_ERROR); 0 when there is none.
  static func pendingError(_ fd: Int32) -> Int32 {
    var code: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    let result = resultOrErrno { getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &length) }
    return result < 0 ? -result : code
  }

  /// Lets `close` abort the connection with RST, which leaves no TIME_WAIT behind (SO_LINGER).
  static func abortOnClose(_ fd: Int32) {
    var abort = linger(l_onoff: 1, l_linger: 0)
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, socklen_t(MemoryLayout<linger>.size))
  }
}
