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
