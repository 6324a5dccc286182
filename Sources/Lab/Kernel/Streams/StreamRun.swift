internal import Glibc
internal import OrderedCollections
internal import Synchronization

/// One trial: streams that one thread sends at a fixed interval, and the kernel's record of their arrival.
///
/// A veth pair delivers in the sender's own context, so the receive timestamp is taken a few microseconds after the
/// send, whatever else runs. Streams that share a source with TCP or UDP requests use up its ICMP errors, which are
/// rate-limited.
public final class StreamRun {
  /// Why the thread doesn't have the requested priority; `nil` if it has, or if none was requested.
  public let realTimeObstacle: KernelError?
  /// Whether a second thread must empty the sockets during the trial because their buffers don't hold everything.
  /// Without root, a buffer holds twice `net.core.rmem_max`.
  public let readsDuringTrial: Bool

  private let streams: [DatagramStream]
  private let sender: StreamSender
  private let receivers: Receivers
  /// The index in `receivers` of each stream's destination.
  private let receiver: [Int]
  private let arrivals: StreamArrivals
  private let clock: WallClockOffset
  private var threads: [JoinedThread] = []

  /// Opens all sockets.
  ///
  /// `spacing` is the time between two ticks, at least 1 us. A trial ends by itself after `capacity` ticks.
  /// `receiveBuffer` is the maximum size of one destination's socket buffer, in bytes as the kernel counts them, at
  /// most 1 GB. Throws EINVAL for an impossible spacing or size, EADDRINUSE if something listens on a destination.
  public init(
    _ streams: [DatagramStream], spacing: Duration, capacity: Int, realTimePriority: Int? = nil,
    receiveBuffer: Int = 1 << 30, worker: NamespaceWorker
  ) throws {
    guard spacing >= .microseconds(1), spacing <= .seconds(10), (1...Self.mostDatagrams).contains(capacity),
      streams.count * capacity <= Self.mostDatagrams, streams.count <= Self.mostStreams
    else {
      throw KernelError("streams of \(capacity) ticks, \(spacing) apart", code: EINVAL)
    }
    try ReceiveStamps.turnOn(worker)
    let nonce = StreamNonce()
    realTimeObstacle = realTimePriority.flatMap { RealTimeScheduling.obstacle(to: $0) }
    self.streams = streams
    sender = StreamSender(
      nonce: nonce, spacing: spacing.nanoseconds, ticks: capacity,
      priority: realTimeObstacle == nil ? realTimePriority : nil)
    let counts = streams.map { $0.count(ticks: capacity) }
    arrivals = StreamArrivals(nonce: nonce, counts: counts)

    let destinations = streams.map {
      Destination(transport: $0.transport, namespace: ObjectIdentifier($0.target), address: $0.destination)
    }
    let distinct = OrderedSet(destinations)
    let places = destinations.map { distinct.firstIndex(of: $0) ?? 0 }
    receiver = places
    var sockets: [StreamReceiver] = []
    for index in distinct.indices {
      let here = streams.indices.filter { places[$0] == index }
      guard let first = here.first else { continue }
      sockets.append(
        try StreamReceiver(
          streams[first].transport, on: streams[first].destination, in: streams[first].target, nonce: nonce,
          datagrams: here.reduce(0) { $0 + counts[$1] }, limit: min(receiveBuffer, 1 << 30), worker: worker))
    }
    receivers = Receivers(all: sockets)
    readsDuringTrial = sockets.contains { !$0.holdsAll }
    for stream in streams { try sender.add(stream, on: worker) }
    clock = WallClockOffset()
  }

  deinit { end() }

  /// Maximum datagrams: three streams 20 us apart for two minutes. Each takes 16 bytes, for a send time and a
  /// timestamp.
  private static let mostDatagrams = 20_000_000
  /// Maximum streams: the SYNs of each have a source port of their own.
  private static let mostStreams = 10_000

  private struct Destination: Hashable {
    let transport: StreamTransport
    let namespace: ObjectIdentifier
    let address: ProbeAddress
  }

  /// Starts the thread, which sends the first datagrams at once. May be called only once.
  public func start() throws(KernelError) {
    guard threads.isEmpty else { throw KernelError("second start of a trial", code: EALREADY) }
    if readsDuringTrial {
      threads.append(try JoinedThread { [receivers, arrivals] in receivers.read(into: arrivals) })
    }
    threads.append(try JoinedThread { [sender] in sender.run() })
  }

  /// Whether all ticks are over, or the trial was stopped.
  public var hasEnded: Bool { sender.hasEnded }

  /// Ends the thread and reads the sockets. Returns a record for each stream, in order.
  public func stop() throws(KernelError) -> [StreamRecord] {
    end()
    // If another process keeps the core busy, the last datagrams may still wait for ksoftirqd, an ordinary thread.
    usleep(5000)
    let before = WallClock.now
    for receiver in receivers.all { arrivals.take(from: receiver, now: before) }
    let after = WallClockOffset()
    var dropped: [Int] = []
    for receiver in receivers.all { dropped.append(try receiver.dropped) }
    return streams.indices.map { stream in
      let sent = sender.notes(of: stream)
      let times = arrivals.times(of: stream, after)
      return StreamRecord(
        sent: sent.times, received: times, skippedTicks: sender.skippedTicks, refusedSends: sent.refused,
        droppedByReceiver: dropped[receiver[stream]],
        unstamped: after.agrees(with: clock) ? arrivals.unstamped[stream] : times.count { $0 != 0 })
    }
  }

  private func end() {
    sender.stop()
    receivers.stop()
    for thread in threads { thread.join() }
  }
}

/// The sockets of all destinations. The reading thread uses them, and the run itself only after joining that thread.
private final class Receivers: Sendable {
  let all: [StreamReceiver]
  private let stopping = Atomic(false)

  init(all: [StreamReceiver]) { self.all = all }

  func stop() { stopping.store(true, ordering: .relaxed) }

  /// Empties the sockets every millisecond. Waking up for each datagram would disturb the sender.
  func read(into arrivals: StreamArrivals) {
    while !stopping.load(ordering: .relaxed) {
      for receiver in all { arrivals.take(from: receiver) }
      usleep(1000)
    }
  }
}
