internal import CLinux
internal import Glibc

/// One long-lived thread that can enter other network namespaces and always returns to its own.
///
/// A network namespace belongs to a thread, but Swift's pool threads are shared: a `setns` in a task would move
/// unrelated tasks too. So everything that must happen inside a namespace (opening a socket, starting a program) runs
/// on this thread. What is opened there keeps its namespace and may be used from any thread. Child processes die with
/// the thread, so keep the worker.
///
/// Calls block and run one at a time. A call from within a body runs immediately, on the same thread.
public final class NamespaceWorker: Sendable {
  private let queue = WorkQueue()
  private let whereabouts: Whereabouts
  private let threadID: Int32

  /// Starts the thread in the namespace of the calling thread. The corresponding C function is `pthread_create`.
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
    case nil: throw KernelError("start a namespace worker", code: ESHUTDOWN)
    }
  }

  deinit { queue.close() }

  /// Ends the thread after the work that was already submitted. Later calls throw ESHUTDOWN.
  public func close() {
    queue.close()
    if !isCurrent { queue.waitForEnd() }
  }

  /// Creates a namespace with only `lo` in it, which is down. The corresponding C function is `unshare`.
  public func makeNamespace() throws -> NetworkNamespace {
    try onThread {
      try whereabouts.excursion { () throws(KernelError) in
        do throws(KernelError) { try checked("make a network namespace", cl_unshare(Int32(CL_NEWNET))) } catch {
          throw Privilege.explained(error)
        }
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

  /// Runs `body` on the thread, in the thread's current namespace: its first one, unless called from another body.
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
    guard ran else { throw KernelError("use of a closed namespace worker", code: ESHUTDOWN) }
    return try slot.move().get()
  }

  /// Also checks that the thread still runs, since the ID of an ended thread may be reused.
  private var isCurrent: Bool { cl_gettid() == threadID && queue.isServed }
}

/// The current namespace of the worker's thread. Unchecked: only that thread touches it.
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

  /// Runs `body`, which may change the namespace, and then returns to the original one.
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
      // All later work would run in the wrong namespace, so no later work is accepted.
      lost = KernelError("return from a network namespace", code: error.code)
      // What the body may not do, the return often may not do either. The body's error says more.
      _ = try outcome.get()
      throw error
    }
    return try outcome.get()
  }
}
