internal import CLinux
internal import Glibc

/// One long-lived thread that may leave its network namespace, and always comes back.
///
/// Namespaces belong to threads, and Swift's pool threads to everybody: a `setns` in a task would move unrelated
/// tasks. So everything that must happen inside a namespace (opening a socket, starting a program) runs on this
/// thread. What is opened there keeps its namespace and may be used from anywhere. Children die with the thread: keep
/// the worker.
///
/// Calls block and are run one after the other. From within a body they run at once, on the same thread.
public final class NamespaceWorker: Sendable {
  private let queue = WorkQueue()
  private let whereabouts: Whereabouts
  private let threadID: Int32

  /// Starts the thread in the namespace of the calling one. The corresponding C function is `pthread_create`.
  public init() throws(KernelError) {
    try startThread { [queue] in queue.serve() }
    nonisolated(unsafe) var start: Result<(Whereabouts, Int32), KernelError>?
    _ = queue.perform {
      start = Result { () throws(KernelError) in (Whereabouts(home: try .ofCallingThread()), cl_gettid()) }
    }
    switch start {
    case .success((let whereabouts, let threadID)): (self.whereabouts, self.threadID) = (whereabouts, threadID)
    case .failure(let error):
      queue.close()
      throw error
    case nil: throw KernelError("start of a namespace worker", code: ESHUTDOWN)
    }
  }

  deinit { queue.close() }

  /// Ends the thread after the work already handed in. Later calls throw ESHUTDOWN.
  public func close() {
    queue.close()
    if !isCurrent { queue.waitForEnd() }
  }

  /// A new namespace with nothing in it but `lo`, which is down. The corresponding C function is `unshare`.
  public func makeNamespace() throws -> NetworkNamespace {
    try onThread {
      try whereabouts.excursion { () throws(KernelError) in
        try checked("unshare(CLONE_NEWNET)", cl_unshare(Int32(CL_NEWNET)))
        return try NetworkNamespace.ofCallingThread()
      }
    }
  }

  /// Runs `body` on the thread, inside `namespace`. The corresponding C function is `setns`.
  public func run<Result: ~Copyable>(in namespace: NetworkNamespace, _ body: () throws -> Result) throws -> Result {
    try onThread {
      try whereabouts.excursion {
        try whereabouts.move(to: namespace)
        return try body()
      }
    }
  }

  /// Runs `body` on the thread, in the namespace that the thread is in: its first one, unless within another body.
  public func onThread<Result: ~Copyable>(_ body: () throws -> Result) throws -> Result {
    if isCurrent {
      try whereabouts.requireKnown()
      return try body()
    }
    let slot = UnsafeMutablePointer<Swift.Result<Result, any Error>>.allocate(capacity: 1)
    defer { slot.deallocate() }
    let ran = queue.perform {
      do {
        try whereabouts.requireKnown()
        slot.initialize(to: .success(try body()))
      } catch {
        slot.initialize(to: .failure(error))
      }
    }
    guard ran else { throw KernelError("call of a closed namespace worker", code: ESHUTDOWN) }
    return try slot.move().get()
  }

  /// The number of a thread that has ended may become another's.
  private var isCurrent: Bool { cl_gettid() == threadID && queue.isServed }
}

/// Where the worker's thread is. Unchecked: only that thread touches it.
private final class Whereabouts: @unchecked Sendable {
  private var current: NetworkNamespace
  private var lost: KernelError?

  init(home: NetworkNamespace) { current = home }

  func requireKnown() throws(KernelError) {
    if let lost { throw lost }
  }

  func move(to namespace: NetworkNamespace) throws(KernelError) {
    try namespace.enter()
    current = namespace
  }

  /// Runs `body`, which may change the namespace, and goes back.
  func excursion<Result: ~Copyable>(_ body: () throws -> Result) throws -> Result {
    try requireKnown()
    let origin = current
    let outcome: Swift.Result<Result, any Error>
    do {
      outcome = .success(try body())
    } catch {
      outcome = .failure(error)
    }
    current = origin
    do {
      try origin.enter()
    } catch {
      // All later work would run in the wrong namespace: none will.
      lost = KernelError("return from a network namespace", code: error.code)
      throw error
    }
    return try outcome.get()
  }
}
