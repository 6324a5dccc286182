internal import Glibc

/// A thread that runs one closure, and that somebody waits for.
public final class JoinedThread {
  private let thread: pthread_t
  private var joined = false

  /// Starts it in the namespace of the calling thread, and with its priority. The corresponding C function is
  /// `pthread_create`.
  public init(_ body: @escaping @Sendable () -> Void) throws(KernelError) { thread = try newThread(body) }

  deinit { join() }

  /// Returns when the closure has. The corresponding C function is `pthread_join`.
  public func join() {
    guard !joined else { return }
    joined = true
    pthread_join(thread, nil)
  }
}
