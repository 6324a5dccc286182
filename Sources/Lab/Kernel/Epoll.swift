internal import CLinux
internal import Glibc

/// Waits for many sockets at once (epoll(7)), level-triggered. A socket that is closed leaves by itself.
struct Epoll: ~Copyable {
  /// What a socket is ready for (EPOLLIN and so on, sys/epoll.h).
  struct Readiness: OptionSet {
    let rawValue: UInt32
    static let input = Readiness(rawValue: 0x001)
    static let output = Readiness(rawValue: 0x004)
    static let error = Readiness(rawValue: 0x008)
    static let hangUp = Readiness(rawValue: 0x010)
  }

  private let descriptor: OwnedDescriptor
  private let capacity: Int
  private let events: UnsafeMutableRawPointer

  init(capacity: Int = 1024) throws(KernelError) {
    descriptor = OwnedDescriptor(try call("epoll_create1") { createEpoll(O_CLOEXEC) })
    self.capacity = capacity
    events = .allocate(byteCount: capacity * Event.stride, alignment: MemoryLayout<UInt64>.alignment)
  }

  deinit { events.deallocate() }

  /// Watches `fd`; `token` comes back with its events. Errors and the end of a connection are always told.
  func add(_ fd: Int32, token: UInt64, for readiness: Readiness) throws(KernelError) {
    var code: Int32 = 0
    withUnsafeTemporaryAllocation(byteCount: Event.stride, alignment: MemoryLayout<UInt64>.alignment) { event in
      event.storeBytes(of: readiness.rawValue, as: UInt32.self)
      event.storeBytes(of: token, toByteOffset: Event.tokenOffset, as: UInt64.self)
      code = -resultOrErrno { controlEpoll(descriptor.number, Event.add, fd, event.baseAddress) }
    }
    if code != 0 { throw KernelError("epoll_ctl", code: code) }
  }

  /// Hands all that is ready to `body`, after waiting at most `milliseconds` for the first of it.
  func drain(waiting milliseconds: Int32, _ body: (_ token: UInt64, Readiness) throws -> Void) throws {
    var patience = milliseconds
    while true {
      let count = Int(
        try call("epoll_wait") { waitForEpoll(descriptor.number, events, Int32(capacity), patience) })
      for index in 0..<count {
        let event = events + index * Event.stride
        let readiness = Readiness(rawValue: event.loadUnaligned(as: UInt32.self))
        try body(event.loadUnaligned(fromByteOffset: Event.tokenOffset, as: UInt64.self), readiness)
      }
      // A full buffer may have hidden others; a buffer with room did not.
      if count < capacity { return }
      patience = 0
    }
  }
}

/// The layout of struct epoll_event: packed on x86-64 only, so that 32-bit programs have the same there.
private enum Event {
  /// EPOLL_CTL_ADD
  static let add: Int32 = 1
  #if arch(x86_64)
    static let tokenOffset = 4
    static let stride = 12
  #else
    static let tokenOffset = 8
    static let stride = 16
  #endif
}

// The Glibc module lacks sys/epoll.h. Integers and pointers only, which C and Swift pass alike.
@_silgen_name("epoll_create1") private func createEpoll(_ flags: Int32) -> Int32
@_silgen_name("epoll_ctl") private func controlEpoll(
  _ epoll: Int32, _ operation: Int32, _ fd: Int32, _ event: UnsafeMutableRawPointer?
) -> Int32
@_silgen_name("epoll_wait") private func waitForEpoll(
  _ epoll: Int32, _ events: UnsafeMutableRawPointer, _ capacity: Int32, _ milliseconds: Int32
) -> Int32
