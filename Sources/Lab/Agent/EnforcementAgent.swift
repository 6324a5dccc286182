internal import Apply
public import Kernel
public import Lowering
internal import NetpolModel
internal import Network
internal import Synchronization

/// The part of the agent that depends on the back end.
protocol AgentBackend: Sendable {
  /// What kube-router does once, before its first sync.
  func setUp(_ run: inout SyncRun) throws
  /// One full sync. `view` is called once, at the point where kube-router reads its caches.
  func sync(_ run: inout SyncRun, _ view: () -> NodeView) throws
}

/// Enforces policies on one node as kube-router's network policy controller does. Events go into a cache at once. Each
/// relevant event requests a full sync, which rebuilds everything by running `iptables`, `ipset` and `nft`.
///
/// At most one sync runs and one waits. There is no debounce, and after an aborted sync nothing happens until the next
/// event. A sync takes real time, which is not simulated. kube-router's periodic sync is left out.
public final class EnforcementAgent: Sendable {
  private let backend: any AgentBackend
  private let node: AgentNode
  private let onThreadStart: (@Sendable () -> Void)?
  private let observer: (@Sendable (SyncMoment) -> Void)?
  private let queue = SyncQueue()
  private let cache: Mutex<NodeView>
  private let history = Mutex(History())

  private struct History {
    var hasStarted = false
    var startUp: SyncRecord?
    var syncs: [SyncRecord] = []
  }

  /// `view` is what the informers have listed before the start. The observer is called on the agent's thread.
  ///
  /// Throws for a style without a full sync.
  public init(
    _ view: NodeView, style: EnforcementStyle, in namespace: NetworkNamespace, worker: NamespaceWorker,
    onThreadStart: (@Sendable () -> Void)? = nil, observer: (@Sendable (SyncMoment) -> Void)? = nil
  ) throws {
    backend =
      switch style.fullSync {
      case .iptables: IptablesSync(style, view)
      case .nft: NftSync(style, view)
      case nil: throw LabError("\(style.name): no known controller writes this style's rules in a full sync")
      }
    node = AgentNode(namespace: namespace, worker: worker, lock: try XtablesLock())
    cache = Mutex(view)
    self.onThreadStart = onThreadStart
    self.observer = observer
  }

  deinit { queue.close() }

  /// Starts the agent and waits for its first full sync. May be called only once.
  ///
  /// Throws the error that stopped the start-up, where kube-router would exit. An aborted first sync is in `syncs`.
  public func start() throws {
    let isFirst = history.withLock { history in
      defer { history.hasStarted = true }
      return !history.hasStarted
    }
    guard isFirst else { throw LabError("the agent was already started") }
    queue.request(at: MonotonicClock.now)
    try startThread { [self] in serve() }
    _ = queue.waitUntilIdle(until: .max / 2)
    if let failure = startUp?.failure { throw failure }
  }

  /// Applies an informer's event and returns immediately. May be called from any thread.
  public func notify(_ event: InformerEvent) {
    let now = MonotonicClock.now
    if cache.withLock({ $0.apply(event) }) { queue.request(at: now) }
  }

  /// Waits until no sync is running or waiting. Throws if that takes longer than `timeout`.
  public func waitUntilIdle(timeout: Duration) throws {
    guard queue.waitUntilIdle(until: MonotonicClock.now + timeout.nanoseconds) else {
      throw LabError("the agent is still busy after \(timeout)")
    }
  }

  /// The record of what was done once, before the first sync.
  public var startUp: SyncRecord? { history.withLock { $0.startUp } }

  /// The syncs that have ended, in order.
  public var syncs: [SyncRecord] { history.withLock { $0.syncs } }

  /// Returns the syncs that have ended, and forgets them.
  @discardableResult
  public func takeSyncs() -> [SyncRecord] {
    history.withLock { history in
      defer { history.syncs = [] }
      return history.syncs
    }
  }

  /// Ends the agent after the running sync. Its rules stay.
  public func close() {
    queue.close()
    queue.waitForEnd()
  }

  private func serve() {
    onThreadStart?()
    var run = SyncRun(requested: MonotonicClock.now, on: node)
    let failure = Self.failure { try backend.setUp(&run) }
    let startUp = run.end(failure)
    history.withLock { $0.startUp = startUp }
    if failure != nil { queue.close() }
    queue.serve { sync($0) }
  }

  private func sync(_ requested: UInt64) {
    var run = SyncRun(requested: requested, on: node, observer: observer)
    let stamp = Self.stamp
    let failure = Self.failure {
      try backend.sync(&run) {
        var view = cache.withLock { $0 }
        view.versionStamp = stamp
        return view
      }
    }
    let record = run.end(failure)
    history.withLock { $0.syncs.append(record) }
  }

  private static func failure(_ body: () throws -> Void) -> (any Error)? {
    do {
      try body()
      return nil
    } catch {
      return error
    }
  }

  /// Unix time in nanoseconds, from which kube-router derives the names of a sync's chains.
  private static var stamp: String { "\(WallClock.now)" }
}
