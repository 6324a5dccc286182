internal import Glibc

/// Sends probes between namespaces and answers them, in one loop over all sockets on the caller's thread.
///
/// Sockets are opened on the worker's thread, inside their namespaces, and used from here. No two UDP or SCTP probes of
/// a session share source namespace and port, so use one session for as long as its namespaces exist.
///
/// It keeps no conntrack state and reads no rules. The caller must know which rules were in force.
public final class ProbeSession {
  private let worker: NamespaceWorker
  private let epoll: Epoll
  private let listeners = ProbeListeners()
  private let sctp = SCTPSockets()
  private var ports = ProbePorts()
  /// Part of every token, so that an event of one run can't be mistaken for another run's.
  private var runNumber: UInt64 = 0
  /// Whether a lost request is sent again.
  public var repeatsRequests = true
  /// The source port of each probe of the last run; 0 for a probe that was not sent.
  public private(set) var sourcePorts: [UInt16] = []

  public init(worker: NamespaceWorker) throws {
    self.worker = worker
    epoll = try Epoll()
  }

  /// Why probes of a transport can't be sent on this machine; `nil` if they can. SCTP needs a raw socket, and so
  /// CAP_NET_RAW.
  public static func obstacle(to transport: ProbeTransport, on worker: NamespaceWorker) throws -> String? {
    let fd = try worker.run(in: try worker.makeNamespace()) { try ProbeSocket.open(.v4, transport) }
    guard fd >= 0 else { return KernelError("socket for \(transport)", code: -fd).description }
    close(fd)
    return nil
  }

  /// Opens listeners in addition to those already open. All of them listen when it returns. If one can't be opened,
  /// none of these is, and the error names it. They last as long as the session and keep their namespaces alive.
  public func listen(_ listeners: [Listener]) throws {
    let overSCTP = listeners.filter { $0.transport == .sctp }
    try sctp.listen(overSCTP, on: worker, watch: watchSCTP)
    do {
      try self.listeners.open(listeners.filter { $0.transport != .sctp }, on: worker) { fd, index in
        try epoll.add(fd, token: Token.listener(index), for: .input)
      }
    } catch {
      sctp.stopListening(overSCTP)
      throw error
    }
  }

  /// Closes all TCP and UDP listeners.
  public func stopListening() { listeners.closeAll() }

  private func watchSCTP(_ fd: Int32, _ index: Int) throws {
    try epoll.add(fd, token: Token.sctp(index), for: .input)
  }

  /// Sends the probes, at most `parallel` at a time, and returns their outcomes in order.
  ///
  /// Every destination must have a listener; otherwise a refusal may only mean that no program listens. A lost UDP
  /// request or INIT is repeated after half the timeout unless `repeatsRequests` is false, a lost SYN after 1 s if the
  /// timeout is longer. `progress`
  /// receives the number of probes that have ended. Throws if the process is out of descriptors or the worker is
  /// closed; there are no outcomes then.
  public func run(
    _ probes: [Probe], timeout: Duration, parallel: Int = 512, progress: ((Int) -> Void)? = nil
  ) throws -> [ProbeOutcome] {
    runNumber += 1
    let run = ProbeRun(probes, timeout: timeout, repeatsRequests: repeatsRequests, sctp: sctp)
    try sctp.open(
      probes.lazy.filter { $0.transport == .sctp }.map { ($0.namespace, $0.destination.family) }, on: worker,
      watch: watchSCTP)
    let parallel = max(parallel, 1)
    var told = 0
    while !run.isOver {
      try run.start(parallel, on: worker, ports: &ports) { fd, index throws(KernelError) in
        try epoll.add(
          fd, token: Token.probe(index, of: runNumber), for: probes[index].transport == .tcp ? .output : .input)
      }
      try handleEvents(of: run, waiting: run.mayStart(parallel) ? 0 : milliseconds(until: run.nextDeadline()))
      let now = MonotonicClock.now
      if let deadline = run.nextDeadline(), deadline <= now {
        // Events that came before this moment are handled before any probe times out.
        try handleEvents(of: run, waiting: 0)
        run.meetDeadlines(now)
      }
      if run.finished > told {
        told = run.finished
        progress?(told)
      }
    }
    sourcePorts = run.sourcePorts
    return run.observations
  }

  private func milliseconds(until deadline: UInt64?) -> Int32 {
    let now = MonotonicClock.now
    guard let deadline, deadline > now else { return 0 }
    return Int32(clamping: (deadline - now + 999_999) / 1_000_000)
  }

  private func handleEvents(of run: ProbeRun, waiting milliseconds: Int32) throws {
    try epoll.drain(waiting: milliseconds) { token, events in
      if let index = Token.listenerIndex(token) {
        try listeners.serve(index) { run.noteArrival($0) }
      } else if let index = Token.sctpIndex(token) {
        sctp.serve(index, for: run)
      } else if let index = Token.probeIndex(token, of: runNumber) {
        run.handle(index, events: events)
      }
    }
  }
}

/// The token that epoll returns with an event: bit 63 marks a listener, bit 62 a shared socket for SCTP, bits 32 to 61
/// are the run of a probe's socket, the rest is an index.
private enum Token {
  private static let listenerBit: UInt64 = 1 << 63
  private static let sctpBit: UInt64 = 1 << 62

  static func listener(_ index: Int) -> UInt64 { listenerBit | UInt64(index) }

  static func sctp(_ index: Int) -> UInt64 { sctpBit | UInt64(index) }

  static func probe(_ index: Int, of run: UInt64) -> UInt64 { runBits(run) | UInt64(UInt32(truncatingIfNeeded: index)) }

  static func listenerIndex(_ token: UInt64) -> Int? {
    token & listenerBit == 0 ? nil : Int(token & ~listenerBit)
  }

  static func sctpIndex(_ token: UInt64) -> Int? {
    token & (listenerBit | sctpBit) == sctpBit ? Int(token & ~sctpBit) : nil
  }

  /// `nil` for an event left from an earlier run: a child process may hold a copy of a closed socket for a moment.
  static func probeIndex(_ token: UInt64, of run: UInt64) -> UInt64? {
    token & ~0xffff_ffff == runBits(run) ? token & 0xffff_ffff : nil
  }

  private static func runBits(_ run: UInt64) -> UInt64 { run << 32 & ~(listenerBit | sctpBit) }
}
