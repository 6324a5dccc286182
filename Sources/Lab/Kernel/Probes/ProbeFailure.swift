internal import CNftables  // owns the constants of sys/socket.h in a whole-module build
internal import Glibc

/// An ICMP error about a packet that a socket sent (struct sock_extended_err, linux/errqueue.h).
struct ICMPError: Hashable {
  var family: AddressFamily
  var type: UInt8
  var code: UInt8

  /// Whether it is an answer that packet filters give. "Host unreachable" is one too, but routers say it first.
  var isRefusal: Bool {
    switch (family, type) {
    // Port unreachable; network, host, all communication administratively prohibited (linux/icmp.h).
    case (.v4, 3): [3, 9, 10, 13].contains(code)
    // Administratively prohibited; port unreachable (linux/icmpv6.h).
    case (.v6, 1): [1, 4].contains(code)
    default: false
    }
  }

  /// Takes the first one from the socket's error queue, and leaves out what isn't ICMP (recvmsg(2), MSG_ERRQUEUE).
  static func next(on fd: Int32) -> ICMPError? {
    withUnsafeTemporaryAllocation(byteCount: 256, alignment: MemoryLayout<cmsghdr>.alignment) { control in
      while true {
        var header = msghdr()
        header.msg_control = control.baseAddress
        header.msg_controllen = control.count
        let result = resultOrErrno { recvmsg(fd, &header, Int32(MSG_ERRQUEUE) | Int32(MSG_DONTWAIT)) }
        if result < 0 { return nil }
        if let error = parse(UnsafeRawBufferPointer(control)[..<min(Int(header.msg_controllen), control.count)]) {
          return error
        }
      }
    }
  }

  /// The macros CMSG_FIRSTHDR and CMSG_NXTHDR by hand: they aren't imported.
  private static func parse(_ control: Slice<UnsafeRawBufferPointer>) -> ICMPError? {
    let header = MemoryLayout<cmsghdr>.size
    let word = MemoryLayout<Int>.alignment
    var rest = control
    while rest.count >= header {
      let message = UnsafeRawBufferPointer(rebasing: rest).loadUnaligned(as: cmsghdr.self)
      let length = Int(message.cmsg_len)
      guard length >= header, length <= rest.count else { return nil }
      let data = UnsafeRawBufferPointer(rebasing: rest.prefix(length).dropFirst(header))
      let level = (message.cmsg_level, message.cmsg_type)
      if level == (Int32(IPPROTO_IP), IP_RECVERR) || level == (Int32(IPPROTO_IPV6), IPV6_RECVERR), data.count >= 8 {
        // ee_errno, 4 bytes, then ee_origin, ee_type and ee_code. SO_EE_ORIGIN_ICMP is 2, SO_EE_ORIGIN_ICMP6 is 3.
        if data[4] == 2 || data[4] == 3 {
          return ICMPError(family: data[4] == 2 ? .v4 : .v6, type: data[5], code: data[6])
        }
      }
      rest = rest.dropFirst((length + word - 1) & ~(word - 1))
    }
    return nil
  }
}

extension Observation {
  /// What an error on a probe's socket means; nil when there is none. `code` is 0 or the errno that was found.
  init?(failure code: Int32, on fd: Int32, of probe: Probe, timeout: Duration) {
    if let error = ICMPError.next(on: fd) {
      self =
        error.isRefusal
        ? .refused(.icmp(type: error.type, code: error.code))
        : .unusable("ICMP error \(error.type)/\(error.code) on the way to \(probe.destination)")
      return
    }
    switch code {
    case 0: return nil
    // Over UDP only an ICMP error says so, and that would have been in the queue.
    case ECONNREFUSED where probe.transport == .tcp: self = .refused(.reset)
    case EPERM, EACCES: self = .refused(.local)
    // The kernel gave up on the SYN before the timeout, if that is longer than it waits at most.
    case ETIMEDOUT: self = .silent(after: timeout)
    case ENETUNREACH, EHOSTUNREACH:
      self = .unusable(KernelError("no route to \(probe.destination)", code: code).description)
    default: self = .unusable(KernelError("probe of \(probe.destination)", code: code).description)
    }
  }
}
