internal import CNftables  // owns the constants of sys/socket.h in a whole-module build
internal import Glibc

/// An ICMP error about a packet that a socket sent (struct sock_extended_err, linux/errqueue.h).
struct ICMPError: Hashable {
  var family: AddressFamily
  var type: UInt8
  var code: UInt8

  /// Whether packet filters answer with this error. "Host unreachable" doesn't count: filters can send it, but usually
  /// a router does.
  var isRefusal: Bool {
    switch (family, type) {
    // Port unreachable; network, host or all communication administratively prohibited (linux/icmp.h).
    case (.v4, 3): [3, 9, 10, 13].contains(code)
    // Administratively prohibited; port unreachable (linux/icmpv6.h).
    case (.v6, 1): [1, 4].contains(code)
    default: false
    }
  }

  /// Takes the first ICMP error from the socket's error queue and discards other kinds (recvmsg(2), MSG_ERRQUEUE).
  static func next(on fd: Int32) -> ICMPError? {
    withUnsafeTemporaryAllocation(byteCount: 256, alignment: MemoryLayout<cmsghdr>.alignment) { control in
      while true {
        var header = msghdr()
        header.msg_control = control.baseAddress
        header.msg_controllen = control.count
        let result = resultOrErrno { recvmsg(fd, &header, Int32(MSG_ERRQUEUE) | Int32(MSG_DONTWAIT)) }
        if result < 0 { return nil }
        let used = UnsafeRawBufferPointer(control)[..<min(Int(header.msg_controllen), control.count)]
        if let error = ICMPError(UnsafeRawBufferPointer(rebasing: used)) { return error }
      }
    }
  }

  /// `nil` if the control messages contain no ICMP error.
  init?(_ control: UnsafeRawBufferPointer) {
    let found = ControlMessages.first(in: control) { level, type, data -> ICMPError? in
      let levels = (level, type)
      guard levels == (Int32(IPPROTO_IP), IP_RECVERR) || levels == (Int32(IPPROTO_IPV6), IPV6_RECVERR), data.count >= 8
      else { return nil }
      // ee_errno, 4 bytes, then ee_origin, ee_type and ee_code. SO_EE_ORIGIN_ICMP is 2, SO_EE_ORIGIN_ICMP6 is 3.
      guard data[4] == 2 || data[4] == 3 else { return nil }
      return ICMPError(family: data[4] == 2 ? .v4 : .v6, type: data[5], code: data[6])
    }
    guard let found else { return nil }
    self = found
  }

  private init(family: AddressFamily, type: UInt8, code: UInt8) {
    self.family = family
    self.type = type
    self.code = code
  }
}

extension ProbeOutcome {
  /// The outcome for an error on a probe's socket; `nil` if there is none. `code` is 0 or the errno that was found.
  init?(failure code: Int32, on fd: Int32, of probe: Probe, timeout: Duration) {
    if let error = ICMPError.next(on: fd) {
      self.init(error, of: probe)
    } else {
      self.init(code, of: probe, timeout: timeout)
    }
  }

  /// The outcome for an ICMP error about a probe's packet. "Protocol unreachable" (3/2, and 4/1 of ICMPv6) isn't a
  /// refusal: a host without SCTP sends it about a packet that reached it.
  init(_ error: ICMPError, of probe: Probe) {
    self =
      error.isRefusal
      ? .refused(.icmp(type: error.type, code: error.code))
      : .unusable("ICMP error \(error.type)/\(error.code) on the way to \(probe.destination)")
  }

  /// The outcome for an errno without an ICMP error; `nil` for 0.
  init?(_ code: Int32, of probe: Probe, timeout: Duration) {
    switch code {
    case 0: return nil
    // Over UDP and SCTP only an ICMP error causes this, and it would have been in the queue.
    case ECONNREFUSED where probe.transport == .tcp: self = .refused(.reset)
    case EPERM, EACCES: self = .refused(.local)
    // The kernel gave up on the SYN before the timeout, which was longer than the kernel waits.
    case ETIMEDOUT: self = .silent(after: timeout)
    case ENETUNREACH, EHOSTUNREACH:
      self = .unusable(KernelError("no route to \(probe.destination)", code: code).description)
    default: self = .unusable(KernelError("probe of \(probe.destination)", code: code).description)
    }
  }
}
