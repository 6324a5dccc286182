internal import CNftables
internal import Glibc

/// A program that decides for each packet whether a socket receives it (classic BPF, linux/filter.h).
struct SocketFilter {
  private let steps: [sock_filter]

  /// Accepts no packet.
  static let nothing = SocketFilter(steps: [step(BPF_RET | BPF_K, 0)])

  /// Accepts the SYNs of a run to one port, for a raw socket. Over IPv4 a raw socket sees the IP header too, over IPv6
  /// it doesn't (raw(7), ipv6(7)).
  static func syns(_ family: AddressFamily, to port: UInt16, of nonce: StreamNonce) -> SocketFilter {
    SocketFilter(steps: [
      // BPF_MSH: the length of an IPv4 header, 4 * ([0] & 0xf).
      family == .v4 ? step(BPF_LDX | BPF_B | BPF_MSH, 0) : step(BPF_LDX | BPF_IMM, 0),
      step(BPF_LD | BPF_H | BPF_IND, 2), step(BPF_JMP | BPF_JEQ | BPF_K, UInt32(port), otherwise: 3),
      step(BPF_LD | BPF_W | BPF_IND, 8), step(BPF_JMP | BPF_JEQ | BPF_K, nonce.mark, otherwise: 1),
      step(BPF_RET | BPF_K, .max), step(BPF_RET | BPF_K, 0),
    ])
  }

  /// One step, and how many steps to skip if a comparison fails.
  private static func step(_ code: Int32, _ value: UInt32, otherwise skipped: UInt8 = 0) -> sock_filter {
    sock_filter(code: UInt16(code), jt: 0, jf: skipped, k: value)
  }

  /// The corresponding C function is `setsockopt` with SO_ATTACH_FILTER.
  func attach(to fd: Int32, _ operation: @autoclosure () -> String) throws(KernelError) {
    var steps = steps
    let result = steps.withUnsafeMutableBufferPointer { steps in
      var program = sock_fprog(len: UInt16(steps.count), filter: steps.baseAddress)
      return resultOrErrno {
        setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, socklen_t(MemoryLayout<sock_fprog>.size))
      }
    }
    if result < 0 { throw KernelError("\(operation()): SO_ATTACH_FILTER", code: -result) }
  }
}
