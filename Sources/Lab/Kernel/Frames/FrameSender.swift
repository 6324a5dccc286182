internal import CLinux
internal import CNftables  // owns struct timespec in a whole-module build
internal import Glibc

/// Sends frames from one interface as fast as the kernel takes them.
///
/// A veth pair hands a frame over in the sender's own context, softirq and all: forwarding, rules and delivery are done
/// when the call returns, on the time of the calling thread.
public struct FrameSender: ~Copyable, Sendable {
  private let socket: OwnedDescriptor

  /// In the namespace of the calling thread. The corresponding C functions are `socket` and `bind`; throws EPERM without
  /// CAP_NET_RAW, ENODEV where there is no such interface.
  public init(interface: Int32) throws(KernelError) {
    socket = OwnedDescriptor(try checked("AF_PACKET socket on interface \(interface)", cl_open_frame_socket(interface)))
  }

  /// Sends `count` frames of the ring from `position` on, and says where the next one would be.
  @discardableResult
  public func send(_ count: Int, of ring: FrameRing, from position: Int = 0) throws(KernelError) -> Int {
    var position = position
    var left = count
    while left > 0 {
      // One frame is sent again and again, without a gap at the ring's end.
      let chunk = min(left, CL_MOST_FRAMES, ring.count == 1 ? left : ring.count - position)
      let stride = ring.count == 1 ? 0 : UInt32(ring.length)
      let sent = try checked(
        "send frames",
        cl_send_frames(socket.number, ring.start(of: position), stride, UInt32(ring.length), UInt32(chunk)))
      left -= Int(sent)
      position = (position + Int(sent)) % ring.count
    }
    return position
  }
}

/// How long something took: by the clock on the wall, and of the calling thread's own processor time.
public struct ThreadTime: Hashable, Sendable {
  /// Nanoseconds.
  public let processor, wall: UInt64

  /// Where the kernel counts the time of interrupts apart (CONFIG_IRQ_TIME_ACCOUNTING), `processor` lacks all that
  /// happens in softirqs.
  public static func of<Failure: Error>(_ body: () throws(Failure) -> Void) throws(Failure) -> ThreadTime {
    let wall = MonotonicClock.now
    let processor = used
    try body()
    return ThreadTime(processor: used - processor, wall: MonotonicClock.now - wall)
  }

  /// Nanoseconds of processor time that the calling thread has had. The corresponding C function is `clock_gettime` with
  /// CLOCK_THREAD_CPUTIME_ID.
  public static var used: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time)
  }
}
