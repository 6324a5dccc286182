internal import CLinux
internal import CNftables  // owns struct timespec in a whole-module build
internal import Glibc

/// Sends frames from one interface as fast as the kernel accepts them.
///
/// A veth pair passes a frame on in the sender's own context, including softirq work. Forwarding, rules and delivery
/// are done when the call returns, and their time counts for the calling thread.
public struct FrameSender: ~Copyable, Sendable {
  private let socket: OwnedDescriptor

  /// Opens the socket in the namespace of the calling thread. The corresponding C functions are `socket` and `bind`.
  /// Throws EPERM without CAP_NET_RAW, ENODEV if there is no such interface.
  public init(interface: Int32) throws(KernelError) {
    socket = OwnedDescriptor(try checked("AF_PACKET socket on interface \(interface)", cl_open_frame_socket(interface)))
  }

  /// Sends `count` frames of the ring, starting at `position`. Returns the position of the next frame.
  @discardableResult
  public func send(_ count: Int, of ring: FrameRing, from position: Int = 0) throws(KernelError) -> Int {
    var position = position
    var left = count
    while left > 0 {
      // A single frame is sent repeatedly, without a break at the ring's end.
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

/// How long something took: wall time, and processor time of the calling thread.
public struct ThreadTime: Hashable, Sendable {
  /// In nanoseconds.
  public let processor, wall: UInt64

  /// Measures `body`. If the kernel accounts for interrupt time separately (CONFIG_IRQ_TIME_ACCOUNTING), `processor`
  /// doesn't include softirq work.
  public static func of<Failure: Error>(_ body: () throws(Failure) -> Void) throws(Failure) -> ThreadTime {
    let wall = MonotonicClock.now
    let processor = used
    try body()
    return ThreadTime(processor: used - processor, wall: MonotonicClock.now - wall)
  }

  /// Processor time used by the calling thread, in nanoseconds. The corresponding C function is `clock_gettime` with
  /// CLOCK_THREAD_CPUTIME_ID.
  public static var used: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time)
  }
}
