internal import Agent
internal import Glibc
internal import Kernel
internal import NetpolModel
internal import Network
internal import Synchronization

/// A pod like the newcomer that is added and removed all the time. Every change makes every enforcer sync.
final class Churn {
  private let stopping: Stopping
  private let thread: JoinedThread

  private final class Stopping: Sendable {
    let flag = Atomic(false)
  }

  init(_ plan: LagPlan, _ enforcers: Enforcers, perSecond rate: Double) throws {
    guard let pod = plan.churner else { throw LabError("--churn: the newcomer's node has no free address") }
    let stopping = Stopping()
    self.stopping = stopping
    let pause = UInt32(clamping: Int(1e6 / rate))
    thread = try JoinedThread {
      var isThere = false
      while !stopping.flag.load(ordering: .relaxed) {
        isThere.toggle()
        enforcers.notify([isThere ? .podUpdated(pod) : .podDeleted(pod.id)])
        usleep(max(pause, 100))
      }
    }
  }

  func end() {
    stopping.flag.store(true, ordering: .relaxed)
    thread.join()
  }

  deinit { end() }
}
