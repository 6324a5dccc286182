internal import Glibc

/// Starts a thread of its own for `body`, in the namespaces of the calling one, and with its priority. Nobody waits for
/// it. The corresponding C function is `pthread_create`.
public func startThread(_ body: @escaping @Sendable () -> Void) throws(KernelError) {
  pthread_detach(try newThread(body))
}

/// A thread that somebody must join or detach. No signal is delivered to it: those are for the threads that the process
/// had before.
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
    throw KernelError("pthread_create", code: code)
  }
  return thread
}

/// What C can hold of a closure.
private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
