internal import Glibc

/// Starts a new thread for `body`, with the namespaces and the priority of the calling thread. Nothing waits for it.
/// The corresponding C function is `pthread_create`.
public func startThread(_ body: @escaping @Sendable () -> Void) throws(KernelError) {
  pthread_detach(try newThread(body))
}

/// Creates a thread that must be joined or detached. No signals are delivered to it: the process's other threads handle
/// them.
func newThread(_ body: @escaping @Sendable () -> Void) throws(KernelError) -> pthread_t {
  var all = sigset_t()
  var before = sigset_t()
  sigfillset(&all)
  pthread_sigmask(SIG_SETMASK, &all, &before)
  defer { pthread_sigmask(SIG_SETMASK, &before, nil) }

  let context = Unmanaged.passRetained(ThreadBody(body))
  var thread = pthread_t()
  let code = pthread_create(
    &thread, nil,
    { context in
      if let context { Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().run() }
      return nil
    }, context.toOpaque())
  guard code == 0 else {
    context.release()
    throw KernelError(
      "start a thread", code: code,
      message: code == EAGAIN
        ? "the limit on processes (`ulimit -u`), on the control group's processes or on memory (`ulimit -v`) is reached; raise it"
        : nil)
  }
  return thread
}

/// Wraps a closure so that C can hold it.
private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
