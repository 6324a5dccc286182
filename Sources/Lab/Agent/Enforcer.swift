internal import Glibc
internal import Kernel
internal import Lowering
internal import NetpolModel
internal import Network
internal import Synchronization
internal import Text

/// An agent that enforces policies on one node. It receives events and changes the node's rules in its own time.
package protocol Enforcer: Sendable {
  /// Runs the first sync. Throws if the kernel or a program refuses it.
  func start() throws
  /// Delivers an event and returns immediately.
  func notify(_ event: InformerEvent)
  /// Waits until no sync is running or waiting.
  func waitUntilIdle(timeout: Duration) throws
  /// Returns the syncs that have ended since the last call, if the enforcer keeps them.
  @discardableResult func takeSyncs() -> [SyncRecord]
  func close()
}

extension EnforcementAgent: Enforcer {}

/// Follows an enforcer's syncs, so that callers can wait for one.
package final class SyncWatch: Sendable {
  private struct State {
    var running: UInt64?
    /// Start of the last sync whose rules are all in place.
    var effective: UInt64 = 0
    /// The last few that ended, oldest first.
    var recent: [SyncRecord] = []
    var ended: SyncRecord? { recent.last }
    var failures: [String] = []
    /// The first failure that is the machine's: a program is missing, or a limit is reached.
    var fault: KernelError?
  }
  private let state = Mutex(State())

  package init() {}

  package func note(_ moment: SyncMoment) {
    state.withLock { state in
      switch moment {
      case .began(.cleanUp, _, _):
        // Only clean-up is left.
        if let running = state.running { state.effective = running }
      case .began(_, _, let time): if state.running == nil { state.running = time }
      case .returned: break
      case .ended(let record):
        state.running = nil
        state.effective = record.started
        state.recent = state.recent.suffix(7) + [record]
        if let fault = record.failure as? KernelError { state.fault = state.fault ?? fault }
        if let failure = record.failure { state.failures.append("\(failure)") }
      }
    }
  }

  /// Waits until the rules are in place of a sync that began at this moment or later.
  package func waitForEffect(since moment: UInt64, timeout: Duration) throws {
    _ = try wait(timeout, "a sync's rules to be in place") { $0.effective >= moment ? true : nil }
  }

  /// Waits for such a sync to end. Returns its record.
  package func waitForEnd(since moment: UInt64, timeout: Duration) throws -> SyncRecord {
    try wait(timeout, "a sync to end") { state in
      state.ended.flatMap { $0.started >= moment ? $0 : nil }
    }
  }

  /// The last few syncs that ended, oldest first.
  package var recent: [SyncRecord] { state.withLock { $0.recent } }

  /// Why syncs were aborted.
  package var failures: [String] { state.withLock { $0.failures } }

  /// Throws the machine's fault, if there is one: without it the sync would have gone on.
  private func wait<Found: Sendable>(_ timeout: Duration, _ what: String, _ body: (State) -> Found?) throws -> Found {
    let deadline = ContinuousClock().now + timeout
    repeat {
      let (found, fault) = state.withLock { (body($0), $0.fault) }
      if let fault { throw fault }
      if let found { return found }
      // Polling is exact enough: times come from the sync's record, not from this wait.
      usleep(200)
    } while ContinuousClock().now < deadline
    throw LabError("waited \(timeText(timeout)) for \(what)")
  }
}
