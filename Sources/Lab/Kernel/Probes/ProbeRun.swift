internal import Algorithms
internal import Glibc

/// One call of a session's `run`: its probes, from the first socket to the last observation.
///
/// A probe is identified by its index, which isn't reused within the run. So a late event can't be mistaken for another
/// probe's.
final class ProbeRun {
  /// State of a probe in flight.
  struct Flight {
    fileprivate(set) var inFlight = false
    /// The probe's own socket. SCTP probes have none.
    fileprivate(set) var fd: Int32 = -1
    /// The probe's port on a shared socket (SCTP).
    var source: SCTPSource?
    var start: UInt64 = 0
    var nonce: UInt64 = 0
    /// Whether a listener saw the request (UDP, SCTP).
    var arrived = false
    /// Whether ABORT came back (SCTP).
    var aborted = false
  }

  /// Maximum sockets opened between two polls. A listener's queue must hold them all.
  private static let batch = 128

  let probes: [Probe]
  let timeout: Duration
  let sctp: SCTPSockets
  private let repeatsRequests: Bool
  private let nanoseconds: UInt64
  var flights: [Flight]
  /// The index of the SCTP probe in flight from each source.
  var sources: [SCTPSource: Int] = [:]
  private(set) var observations: [ProbeOutcome]
  /// 0 for a probe that was not sent.
  var sourcePorts: [UInt16]
  private(set) var finished = 0
  /// Number of probes started, which is the index of the next one.
  private var started = 0
  /// All probes before these indices have finished, or have had their second datagram. Probes start in order and have
  /// equal timeouts.
  private var expiring = 0
  private var resending = 0

  init(_ probes: [Probe], timeout: Duration, repeatsRequests: Bool = true, sctp: SCTPSockets) {
    self.repeatsRequests = repeatsRequests
    self.sctp = sctp
    self.probes = probes
    self.timeout = timeout
    nanoseconds = timeout.nanoseconds
    flights = Array(repeating: Flight(), count: probes.count)
    sourcePorts = Array(repeating: 0, count: probes.count)
    observations = Array(repeating: .unusable("not started"), count: probes.count)
  }

  deinit { for flight in flights where flight.fd >= 0 { close(flight.fd) } }

  var isOver: Bool { finished == probes.count }

  func mayStart(_ parallel: Int) -> Bool { started < probes.count && started - finished < parallel }

  /// Starts the next probes in one visit to the worker's thread.
  func start(
    _ parallel: Int, on worker: NamespaceWorker, ports: inout ProbePorts,
    watch: (Int32, Int) throws(KernelError) -> Void
  ) throws {
    let count = min(Self.batch, probes.count - started, parallel - (started - finished))
    guard count > 0 else { return }
    let indices = started..<started + count
    started += count
    try worker.onThread {
      var rest = indices.sorted { ObjectIdentifier(probes[$0].namespace) < ObjectIdentifier(probes[$1].namespace) }[...]
      while let namespace = rest.first.map({ probes[$0].namespace }) {
        let here = rest.prefix { probes[$0].namespace === namespace }
        rest = rest.dropFirst(here.count)
        try worker.run(in: namespace) {
          for index in here { try launch(index, ports: &ports, watch: watch) }
        }
      }
    }
    // Set only now, so that no probe gets less than the timeout.
    let now = MonotonicClock.now
    for index in indices { flights[index].start = now }
  }

  /// Opens the probe's socket and sends its first packet. Must be called inside the probe's namespace.
  private func launch(_ index: Int, ports: inout ProbePorts, watch: (Int32, Int) throws(KernelError) -> Void) throws {
    let probe = probes[index]
    flights[index].inFlight = true
    if probe.transport == .sctp { return launchSCTP(index, ports: &ports) }
    let family = probe.destination.family
    let fd = try ProbeSocket.open(family, probe.transport)
    guard fd >= 0 else { return finish(index, .unusable(KernelError("open a probe's socket", code: -fd).description)) }
    flights[index].fd = fd
    ProbeSocket.prepare(fd, family, probe.transport, seconds: Int32(clamping: nanoseconds / 1_000_000_000 + 1))

    if probe.codePoint != 0 { ProbeSocket.setCodePoint(fd, family, probe.codePoint) }
    if let obstacle = bind(fd, for: probe, index, ports: &ports) { return finish(index, .unusable(obstacle)) }

    var code = -ProbeSocket.connect(fd, to: probe.destination)
    if code == 0, probe.transport != .tcp {
      flights[index].nonce = .random(in: 1 ... .max)
      code = send(index)
    }
    if code != 0 { judge(index, code) } else { try watch(fd, index) }
  }

  /// Binds the socket to a source port of its own. Returns the reason if it can't.
  private func bind(_ fd: Int32, for probe: Probe, _ index: Int, ports: inout ProbePorts) -> String? {
    let source = probe.sourceAddress ?? ProbeAddress.unspecified(probe.destination.family)
    guard AddressFamily(of: source) == probe.destination.family else {
      return Self.wrongSource(source, probe)
    }
    for _ in ProbePorts.range {
      guard let port = ports.next(in: probe.namespace, probe.transport) else { break }
      let result = ProbeSocket.bind(fd, to: ProbeAddress(source, port: port))
      if result == 0 {
        sourcePorts[index] = port
        return nil
      }
      if result != -EADDRINUSE { return KernelError("bind to \(addressText(source))", code: -result).description }
    }
    return Self.noPorts
  }

  static let noPorts = "the session has used all source ports of the namespace"

  static func wrongSource(_ source: [UInt8], _ probe: Probe) -> String {
    "\(addressText(source)) can't be the source of a packet to \(probe.destination)"
  }

  private func send(_ index: Int) -> Int32 {
    switch probes[index].transport {
    case .ping: EchoRequest(datagram(index)).send(over: flights[index].fd, probes[index].destination.family)
    case .tcp, .udp, .sctp: datagram(index).send(over: flights[index].fd)
    }
  }

  private func datagram(_ index: Int) -> ProbeDatagram {
    ProbeDatagram(nonce: flights[index].nonce, index: UInt64(index))
  }

  /// Notes that a listener received `datagram`. Returns whether it belongs to this run.
  func noteArrival(_ datagram: ProbeDatagram) -> Bool {
    guard let index = inFlight(datagram.index), datagram == self.datagram(index) else { return false }
    flights[index].arrived = true
    return true
  }

  func inFlight(_ index: UInt64) -> Int? {
    guard index < UInt64(flights.count), flights[Int(index)].inFlight else { return nil }
    return Int(index)
  }

  /// Handles events on a probe's socket.
  func handle(_ index: UInt64, events: Epoll.Readiness) {
    guard let index = inFlight(index) else { return }
    switch probes[index].transport {
    case .tcp: handleTCP(index, events)
    case .udp: handleDatagrams(index) { ProbeDatagram.receive(from: $0) }
    case .ping: handleDatagrams(index) { EchoRequest.receiveReply(from: $0) }
    // SCTP probes have no socket of their own.
    case .sctp: break
    }
  }

  private func handleTCP(_ index: Int, _ events: Epoll.Readiness) {
    let fd = flights[index].fd
    // SO_ERROR before the error queue, because reading the queue would clear it.
    let code = ProbeSocket.pendingError(fd)
    if code != 0 || events.contains(.error) { return judge(index, code) }
    // A socket that is still connecting isn't writable, and one that failed hangs up.
    guard !events.contains(.hangUp) else { return finish(index, .unusable("the connection ended without an error")) }
    if events.contains(.output) {
      ProbeSocket.abortOnClose(fd)
      finish(index, .delivered)
    }
  }

  private func handleDatagrams(_ index: Int, _ receive: (Int32) -> ProbeDatagram.Reception) {
    let fd = flights[index].fd
    var code: Int32 = 0
    for _ in 0..<64 {
      switch receive(fd) {
      case .datagram(let reply):
        if reply == datagram(index) { return finish(index, .delivered) }
      case .foreign: continue
      // The reply may still follow an error.
      case .failed(let error): code = error
      case .nothing: return judge(index, code)
      }
    }
    // This many datagrams can't all belong to the probe. epoll reports the rest again.
    judge(index, code)
  }

  /// Ends the probe if there is an error on its socket.
  private func judge(_ index: Int, _ code: Int32) {
    guard let observation = ProbeOutcome(failure: code, on: flights[index].fd, of: probes[index], timeout: timeout)
    else {
      return
    }
    conclude(index, observation)
  }

  /// Ends the probe with an observation about one of its packets.
  func conclude(_ index: Int, _ observation: ProbeOutcome) {
    // If the request arrived, the refusal is about a second datagram or comes from the way back.
    finish(index, flights[index].arrived ? .unusable("request delivered, then \(observation)") : observation)
  }

  func finish(_ index: Int, _ observation: ProbeOutcome) {
    if flights[index].fd >= 0 { close(flights[index].fd) }
    flights[index].fd = -1
    flights[index].inFlight = false
    if let source = flights[index].source { sources[source] = nil }
    observations[index] = observation
    finished += 1
  }

  /// When the next timeout or second datagram is due; `nil` if nothing is in flight.
  func nextDeadline() -> UInt64? {
    while expiring < started, !flights[expiring].inFlight { expiring += 1 }
    while resending < started, !flights[resending].inFlight || probes[resending].transport == .tcp { resending += 1 }
    let expiry = expiring < started ? flights[expiring].start + nanoseconds : nil
    let resend = resending < started ? flights[resending].start + nanoseconds / 2 : nil
    return [expiry, resend].compacted().min()
  }

  /// Does what is due at `now`. Everything that arrived by then must have been handled.
  func meetDeadlines(_ now: UInt64) {
    while expiring < started, !flights[expiring].inFlight || flights[expiring].start + nanoseconds <= now {
      if flights[expiring].inFlight { expire(expiring) }
      expiring += 1
    }
    while resending < started, !flights[resending].inFlight || flights[resending].start + nanoseconds / 2 <= now {
      if flights[resending].inFlight { resend(resending) }
      resending += 1
    }
  }

  private func expire(_ index: Int) {
    let flight = flights[index]
    if flight.arrived { return finish(index, .unusable("request delivered, reply lost")) }
    finish(index, flight.aborted ? .refused(.abort) : .silent(after: timeout))
  }

  /// The first datagram may have been lost in a queue. Without a reply to it, conntrack treats this one as new too.
  private func resend(_ index: Int) {
    if !repeatsRequests { return }
    switch probes[index].transport {
    // The kernel repeats a SYN itself.
    case .tcp: break
    case .udp, .ping:
      let code = send(index)
      if code != 0 { judge(index, code) }
    case .sctp: sendInitiation(index)
    }
  }
}
