internal import Apply
public import Kernel
public import Lowering
internal import NetpolModel
internal import Network
internal import Synchronization

/// A back end's part of the agent.
protocol AgentBackend: Sendable {
  /// What kube-router does once, before its first sync.
  func setUp(_ run: inout SyncRun) throws
  /// One full sync. `view` is asked once, where kube-router reads its caches.
  func sync(_ run: inout SyncRun, _ view: () -> NodeView) throws
}

/// The policy enforcement of one node as kube-router's network policy controller does it: events go into a cache at
/// once, and each that matters asks for a full sync, which rebuilds everything by running `iptables`, `ipset` and `nft`.
///
/// At most one sync runs and one waits; there is no debounce, and an aborted sync waits for the next event. The time that
/// a sync takes is spent, not simulated. kube-router's periodic sync is left out.
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
      case nil: throw LabError("\(style.name): no controller is known whose full sync writes its rules")
      }
    node = AgentNode(namespace: namespace, worker: worker, lock: try XtablesLock())
    cache = Mutex(view)
    self.onThreadStart = onThreadStart
    self.observer = observer
  }

  deinit { queue.close() }

  /// Starts the agent and waits for its first full sync. Once only.
  ///
  /// Throws what stopped the start-up, where kube-router exits. An aborted first sync is in `syncs`.
  public func start() throws {
    let isFirst = history.withLock { history in
      defer { history.hasStarted = true }
      return !history.hasStarted
    }
    guard isFirst else { throw LabError("the agent was started before") }
    queue.request(at: MonotonicClock.now)
    try startThread { [self] in serve() }
    _ = queue.waitUntilIdle(until: .max / 2)
    if let failure = startUp?.failure { throw failure }
  }

  /// Takes in what an informer tells; returns at once. From any thread.
  public func notify(_ event: InformerEvent) {
    let now = MonotonicClock.now
    if cache.withLock({ $0.apply(event) }) { queue.request(at: now) }
  }

  /// Waits until no sync runs or waits; throws where that lasts longer.
  public func waitUntilIdle(timeout: Duration) throws {
    guard queue.waitUntilIdle(until: MonotonicClock.now + timeout.nanoseconds) else {
      throw LabError("the agent is not idle after \(timeout)")
    }
  }

  /// What was done once, before the first sync.
  public var startUp: SyncRecord? { history.withLock { $0.startUp } }

  /// The syncs that have ended, in their order.
  public var syncs: [SyncRecord] { history.withLock { $0.syncs } }

  /// The same, and forgets them.
  @discardableResult
  public func takeSyncs() -> [SyncRecord] {
    history.withLock { history in
      defer { history.syncs = [] }
      return history.syncs
    }
  }

  /// Ends the agent after the sync that runs. Its rules stay.
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

  /// Unix nanoseconds, from which kube-router makes the names of a sync's chains.
  private static var stamp: String { "\(WallClock.now)" }
}
