internal import Glibc

/// A thread that runs one closure, and that somebody waits for.
public final class JoinedThread {
  private let thread: pthread_t
  private var joined = false

  /// Starts it in the namespace of the calling thread. The corresponding C function is `pthread_create`.
  public init(_ body: @escaping @Sendable () -> Void) throws(KernelError) {
    // Signals are for the threads the process had before.
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }

    let context = Unmanaged.passRetained(Body(run: body))
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { context in
        if let context { Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run() }
        return nil
      }, context.toOpaque())
    guard code == 0 else {
      context.release()
      throw KernelError("pthread_create", code: code)
    }
    self.thread = thread
  }

  deinit { join() }

  /// Returns when the closure has. The corresponding C function is `pthread_join`.
  public func join() {
    guard !joined else { return }
    joined = true
    pthread_join(thread, nil)
  }

  private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(run: @escaping @Sendable () -> Void) { self.run = run }
  }
}
