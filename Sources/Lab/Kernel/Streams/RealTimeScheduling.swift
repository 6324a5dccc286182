internal import CLinux
internal import Glibc

/// SCHED_FIFO (sched(7)): the thread runs before all ordinary threads, until it sleeps.
///
/// Permitted for root, and for others up to RLIMIT_RTPRIO. Threads and programs that the thread starts inherit it.
public enum RealTimeScheduling {
  /// The priorities that Linux has.
  public static let priorities = 1...99

  /// Gives the calling thread one of `priorities`, or changes the one it has. The corresponding C function is
  /// `sched_setscheduler`. Throws EPERM if that is not permitted, EINVAL for any other priority.
  public static func enter(priority: Int) throws(KernelError) {
    var parameters = sched_param(sched_priority: Int32(clamping: priority))
    try call("sched_setscheduler(SCHED_FIFO, \(priority))") { sched_setscheduler(0, SCHED_FIFO, &parameters) }
  }

  /// Makes the calling thread an ordinary one (SCHED_OTHER), which is always permitted.
  public static func leave() throws(KernelError) {
    var parameters = sched_param(sched_priority: 0)
    try call("sched_setscheduler(SCHED_OTHER)") { sched_setscheduler(0, SCHED_OTHER, &parameters) }
  }

  /// Runs `body` on the calling thread with this priority if that is permitted, otherwise as an ordinary thread.
  public static func whilePermitted<Result>(_ priority: Int, _ body: () throws -> Result) rethrows -> Result {
    let entered = (try? enter(priority: priority)) != nil
    defer { if entered { try? leave() } }
    return try body()
  }

  /// Restricts the calling thread, and what it starts, to the last processor or to all others. A kernel without
  /// preemption holds a processor for milliseconds while it commits rules, and a thread that sends at a fixed interval
  /// must not wait there. Returns false if there is only one processor or the call fails. The corresponding C function
  /// is `sched_setaffinity`.
  @discardableResult
  public static func keep(toLastProcessor isLast: Bool) -> Bool {
    cl_processor_count() > 1 && cl_use_last_processor(isLast ? 1 : 0) == 0
  }

  /// Why the calling thread may not have this priority; `nil` if it may. The thread keeps its current priority.
  public static func obstacle(to priority: Int) -> KernelError? {
    let policy = sched_getscheduler(0)
    var parameters = sched_param()
    guard policy >= 0, sched_getparam(0, &parameters) == 0 else {
      return KernelError("sched_getscheduler", code: cl_errno())
    }
    do {
      try enter(priority: priority)
      try call("sched_setscheduler") { sched_setscheduler(0, policy, &parameters) }
    } catch {
      return error
    }
    return nil
  }
}
