internal import CLinux
internal import CNftables  // owns struct timespec in a whole-module build
internal import Glibc
internal import Synchronization

/// The sending side of a run: sends all streams on one beat, and records the times.
///
/// Unchecked: one thread is in `run`. Everything except `stop` and `hasEnded` is used by others only before it starts or
/// after it is joined.
final class StreamSender: @unchecked Sendable {
  /// A stream, its socket and its send times.
  private struct Lane {
    let fd: Int32
    let every: Int
    let phase: Int
    let destination: UnsafeMutablePointer<sockaddr_storage>
    let length: socklen_t
    /// The SYN of a TCP stream, and the sum of its pseudo-header.
    let syn: (segment: SYNSegment, pseudoHeader: UInt64)?
    let sent: UnsafeMutableBufferPointer<UInt64>
    var count = 0
    var refused = 0
  }

  /// The send times of one stream, and the number of refused sends.
  struct Sent {
    let times: [UInt64]
    let refused: Int
  }

  /// In nanoseconds. With a spacing of at least `longBeat`, each interval has a `pause`.
  private static let longBeat: UInt64 = 40_000
  private static let pause: UInt64 = 26_000

  private var lanes: [Lane] = []
  private let nonce: StreamNonce
  private let ticks: Int
  private let spacing: UInt64
  private let priority: Int?
  private let stopping = Atomic(false)
  private let ended = Atomic(false)
  private(set) var skippedTicks = 0

  /// `spacing` is in nanoseconds.
  init(nonce: StreamNonce, spacing: UInt64, ticks: Int, priority: Int?) {
    self.nonce = nonce
    self.spacing = spacing
    self.ticks = ticks
    self.priority = priority
  }

  deinit {
    for lane in lanes {
      close(lane.fd)
      lane.destination.deallocate()
      lane.sent.deallocate()
    }
  }

  /// Opens the next stream's socket. The corresponding C functions are `socket` and `bind`. Throws EDESTADDRREQ for
  /// SYNs without a source address, which their checksum needs.
  func add(_ stream: DatagramStream, on worker: NamespaceWorker) throws {
    let operation = "socket of a stream to \(stream.destination)"
    let syn = try stream.transport == .tcp ? syn(of: stream, operation) : nil
    // Neither connected nor with IP_RECVERR, so that an ICMP error doesn't fail a later send.
    let fd = try worker.run(in: stream.source) {
      try stream.transport.open(stream.destination.family, operation)
    }
    let sent = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: stream.count(ticks: ticks))
    // Touched now, so that no page fault delays a send.
    sent.initialize(repeating: 0)
    let destination = UnsafeMutablePointer<sockaddr_storage>.allocate(capacity: 1)
    destination.initialize(to: sockaddr_storage())
    // A raw IPv6 socket accepts no port but 0 or the number of its protocol.
    let peer = syn == nil ? stream.destination : ProbeAddress(stream.destination.bytes, port: 0)
    let length = peer.withSocketAddress { address, length in
      UnsafeMutableRawPointer(destination).copyMemory(from: address, byteCount: Int(length))
      return length
    }
    lanes.append(
      Lane(
        fd: fd, every: stream.every, phase: stream.phase, destination: destination, length: length, syn: syn,
        sent: sent))
    // Otherwise a raw socket would queue everything that comes to the source over TCP.
    if syn != nil { try SocketFilter.nothing.attach(to: fd, operation) }
    guard let source = stream.sourceAddress else { return }
    let bound = ProbeSocket.bind(fd, to: ProbeAddress(source, port: 0))
    guard bound == 0 else { throw KernelError("bind a stream to \(addressText(source))", code: -bound) }
  }

  private func syn(
    of stream: DatagramStream, _ operation: String
  ) throws(KernelError) -> (SYNSegment, pseudoHeader: UInt64) {
    guard let source = stream.sourceAddress else { throw KernelError(operation, code: EDESTADDRREQ) }
    return (
      SYNSegment(stream: lanes.count, to: stream.destination.port, nonce),
      SYNSegment.pseudoHeaderSum(source, stream.destination.bytes)
    )
  }

  /// Sends until it is stopped or has no ticks left.
  func run() {
    defer { ended.store(true, ordering: .releasing) }
    // By default a sleep ends up to 50 us late (timer_slack_ns, prctl(2)). If this or the priority is refused, only
    // precision suffers.
    _ = cl_set_timer_slack(1)
    if let priority {
      try? RealTimeScheduling.enter(priority: priority)
      RealTimeScheduling.keep(toLastProcessor: true)
    }
    let early = Self.lateness
    let start = MonotonicClock.now
    var tick = 0
    // Counts only ticks that weren't skipped, so that each stream keeps its share on a busy machine.
    var kept = 0
    while !stopping.load(ordering: .relaxed) {
      let current = min(Int((MonotonicClock.now - start) / spacing), ticks)
      skippedTicks += current - tick
      tick = current
      guard tick < ticks else { return }
      send(kept)
      kept += 1
      tick += 1
      // A thread that is behind skips ticks but not the pauses of a long beat. The kernel's own threads need the
      // pauses, and programs that change rules wait for those threads.
      if spacing >= Self.longBeat {
        let now = MonotonicClock.now
        while start + UInt64(tick) * spacing < now + Self.pause {
          tick += 1
          skippedTicks += 1
        }
      }
      wait(until: start + UInt64(tick) * spacing, early: early, mayStayAwake: tick % 10 != 0)
    }
  }

  /// Makes `run` return within one spacing. May be called from any thread.
  func stop() { stopping.store(true, ordering: .relaxed) }

  /// Whether `run` has returned. May be asked from any thread.
  var hasEnded: Bool { ended.load(ordering: .acquiring) }

  func notes(of stream: Int) -> Sent {
    Sent(times: Array(lanes[stream].sent[..<lanes[stream].count]), refused: lanes[stream].refused)
  }

  /// Every other group of 64 ticks is sent in reverse, so that no stream is always behind another. Reversing every
  /// other tick would be wrong: a stream that is first in one tick and last in the next has gaps of less and of more
  /// than a spacing, and more of the changes fall into the wider gaps.
  private func send(_ tick: Int) {
    let reversed = tick / 64 % 2 == 1
    for place in lanes.indices {
      let index = reversed ? lanes.count - 1 - place : place
      if tick % lanes[index].every == lanes[index].phase { send(lane: index) }
    }
  }

  private func send(lane index: Int) {
    let sequence = lanes[index].count
    guard sequence < lanes[index].sent.count else { return }
    let (fd, length) = (lanes[index].fd, lanes[index].length)
    let failure = lanes[index].destination.withMemoryRebound(to: sockaddr.self, capacity: 1) { peer in
      if let syn = lanes[index].syn {
        var segment = syn.segment
        segment.number(nonce.first &+ UInt32(truncatingIfNeeded: sequence), pseudoHeader: syn.pseudoHeader)
        lanes[index].sent[sequence] = MonotonicClock.now
        return segment.send(over: fd, to: peer, length)
      }
      let datagram = ProbeDatagram(nonce: nonce.value, index: UInt64(index) << 32 | UInt64(sequence))
      lanes[index].sent[sequence] = MonotonicClock.now
      return datagram.send(over: fd, to: peer, length)
    }
    lanes[index].count += 1
    if failure != 0 { lanes[index].refused += 1 }
  }

  /// Waits for the next tick. Sleeps, except for the time `early` that waking up takes; stays awake if less than 25 us
  /// are left.
  ///
  /// A real-time thread that rarely sleeps is stopped for about 50 ms in each second, in favour of threads that wait
  /// for its core (the fair server of kernel/sched/deadline.c, or sched_rt_runtime_us). So every tenth tick of a fast
  /// beat is followed by a sleep, even if the next tick is then late. On a busy machine a beat of 20 us still has such
  /// gaps in trials longer than a second. If a path changes in such a gap, the trial's bracket shows it.
  private func wait(until moment: UInt64, early: UInt64, mayStayAwake: Bool) {
    let now = MonotonicClock.now
    if moment >= now + 25_000 {
      // A thread that wakes up slowly sleeps long enough even if it asks for almost nothing.
      Self.sleep(until: max(moment - early, now + 1000))
    } else if !mayStayAwake {
      Self.sleep(until: max(moment, now + 5_000))
    }
    while MonotonicClock.now < moment {}
  }

  /// How much later than requested most sleeps of such a thread end, in nanoseconds: about 5 us on a physical machine,
  /// about 30 us on an idle virtual one, which would cost a beat its next tick. Measured by the first run of a process.
  private static let lateness: UInt64 = {
    let times = (0..<100).map { _ in
      let moment = MonotonicClock.now + 30_000
      sleep(until: moment)
      return MonotonicClock.now - moment
    }
    return min(max(times.sorted()[times.count * 3 / 4], 10_000), 100_000)
  }()

  private static func sleep(until moment: UInt64) {
    var time = timespec(tv_sec: Int(moment / 1_000_000_000), tv_nsec: Int(moment % 1_000_000_000))
    while clock_nanosleep(CLOCK_MONOTONIC, Int32(TIMER_ABSTIME), &time, nil) == EINTR {}
  }
}
