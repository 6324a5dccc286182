internal import CLinux

/// Waits for many sockets at once (epoll(7)), level-triggered. A closed socket is removed automatically.
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

  /// Watches `fd` and reports its events with `token`. Errors and hang-ups are always reported.
  func add(_ fd: Int32, token: UInt64, for readiness: Readiness) throws(KernelError) {
    try checked("epoll_ctl", cl_epoll_add(descriptor.number, fd, readiness.rawValue, token))
  }

  /// Passes everything that is ready to `body`, after waiting at most `milliseconds` for the first event.
  func drain(waiting milliseconds: Int32, _ body: (_ token: UInt64, Readiness) throws -> Void) throws {
    var patience = milliseconds
    while true {
      let count = try checked(
        "epoll_wait", cl_epoll_wait(descriptor.number, ready.baseAddress, Int32(ready.count), patience))
      for event in ready[..<Int(count)] { try body(event.token, Readiness(rawValue: event.events)) }
      // If the buffer was full, more events may be pending. If it had room, there were no others.
      if count < ready.count { return }
      patience = 0
    }
  }
}
