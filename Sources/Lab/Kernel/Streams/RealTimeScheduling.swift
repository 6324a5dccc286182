internal import CLinux
internal import Glibc

/// SCHED_FIFO (sched(7)): a thread that runs before all ordinary ones, until it sleeps.
///
/// For root, and for others up to RLIMIT_RTPRIO. Threads and programs that the thread starts inherit it.
public enum RealTimeScheduling {
  /// 1 to 99 on Linux.
  public static let priorities = 1...99

  /// Gives the calling thread a priority of `priorities`, or a new one. The corresponding C function is
  /// `sched_setscheduler`. Throws EPERM where that is not permitted, EINVAL for any other priority.
  public static func enter(priority: Int) throws(KernelError) {
    var parameters = sched_param(sched_priority: Int32(clamping: priority))
    try call("sched_setscheduler(SCHED_FIFO, \(priority))") { sched_setscheduler(0, SCHED_FIFO, &parameters) }
  }

  /// Makes the calling thread an ordinary one (SCHED_OTHER), which is always permitted.
  public static func leave() throws(KernelError) {
    var parameters = sched_param(sched_priority: 0)
    try call("sched_setscheduler(SCHED_OTHER)") { sched_setscheduler(0, SCHED_OTHER, &parameters) }
  }

  /// Runs `body` on the calling thread with this priority, where it may have it, and as an ordinary thread otherwise.
  public static func whilePermitted<Result>(_ priority: Int, _ body: () throws -> Result) rethrows -> Result {
    let entered = (try? enter(priority: priority)) != nil
    defer { if entered { try? leave() } }
    return try body()
  }

  /// Keeps the calling thread, and what it starts, on one side of the machine: the last processor, or all others. A kernel
  /// that does not preempt itself holds a processor for milliseconds while it commits rules; whoever sends on a beat must
  /// not wait there. False where there is one processor only. The corresponding C function is `sched_setaffinity`.
  @discardableResult
  public static func keep(toLastProcessor isLast: Bool) -> Bool {
    cl_processor_count() > 1 && cl_use_last_processor(isLast ? 1 : 0) == 0
  }

  /// Why a thread may not have this priority; nil where it may. The calling thread keeps the one it has.
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
