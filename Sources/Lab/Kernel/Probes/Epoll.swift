internal import CLinux

/// Waits for many sockets at once (epoll(7)), level-triggered. A socket that is closed leaves by itself.
struct Epoll: ~Copyable {
  /// What a socket is ready for.
  struct Readiness: OptionSet {
    let rawValue: UInt32
    static let input = Readiness(rawValue: UInt32(CL_EPOLLIN))
    static let output = Readiness(rawValue: UInt32(CL_EPOLLOUT))
    static let error = Readiness(rawValue: UInt32(CL_EPOLLERR))
    static let hangUp = Readiness(rawValue: UInt32(CL_EPOLLHUP))
  }

  private let descriptor: OwnedDescriptor
  private let ready: UnsafeMutableBufferPointer<cl_ready>

  init(capacity: Int = Int(CL_EPOLL_MAX)) throws(KernelError) {
    descriptor = OwnedDescriptor(try checked("epoll_create1", cl_epoll_create()))
    ready = .allocate(capacity: capacity)
    ready.initialize(repeating: cl_ready())
  }

  deinit { ready.deallocate() }

  /// Watches `fd`; `token` comes back with its events. Errors and the end of a connection are always told.
  func add(_ fd: Int32, token: UInt64, for readiness: Readiness) throws(KernelError) {
    try checked("epoll_ctl", cl_epoll_add(descriptor.number, fd, readiness.rawValue, token))
  }

  /// Hands all that is ready to `body`, after waiting at most `milliseconds` for the first of it.
  func drain(waiting milliseconds: Int32, _ body: (_ token: UInt64, Readiness) throws -> Void) throws {
    var patience = milliseconds
    while true {
      let count = try checked(
        "epoll_wait", cl_epoll_wait(descriptor.number, ready.baseAddress, Int32(ready.count), patience))
      for event in ready[..<Int(count)] { try body(event.token, Readiness(rawValue: event.events)) }
      // A full buffer may have hidden others; a buffer with room did not.
      if count < ready.count { return }
      patience = 0
    }
  }
}
