internal import Glibc

/// A thread that runs one closure. It is joined on `deinit` at the latest.
public final class JoinedThread {
  private let thread: pthread_t
  private var joined = false

  /// Starts the thread with the namespace and the priority of the calling thread. The corresponding C function is
  /// `pthread_create`.
  public init(_ body: @escaping @Sendable () -> Void) throws(KernelError) { thread = try newThread(body) }

  deinit { join() }

  /// Waits until the closure has returned. The corresponding C function is `pthread_join`.
  public func join() {
    guard !joined else { return }
    joined = true
    pthread_join(thread, nil)
  }
}
