internal import Glibc
internal import Lowering
internal import NetpolModel
internal import Network
internal import Synchronization
internal import Text

/// Whoever enforces policies on one node: told of events, it changes the node's rules in its own time.
package protocol Enforcer: Sendable {
  /// Its first sync. Throws where the kernel or a program refuses it.
  func start() throws
  /// Returns at once.
  func notify(_ event: InformerEvent)
  /// Waits until no sync runs or waits.
  func waitUntilIdle(timeout: Duration) throws
  /// The syncs that have ended since the last call, where it keeps them.
  @discardableResult func takeSyncs() -> [SyncRecord]
  func close()
}

extension EnforcementAgent: Enforcer {}

/// Follows an enforcer's syncs, for those who wait for one.
package final class SyncWatch: Sendable {
  private struct State {
    var running: UInt64?
    /// When the last sync began whose rules all stand.
    var effective: UInt64 = 0
    var ended: SyncRecord?
    var failures: [String] = []
  }
  private let state = Mutex(State())

  package init() {}

  package func note(_ moment: SyncMoment) {
    state.withLock { state in
      switch moment {
      case .began(.cleanUp, _, _):
        // What is left is to tidy up.
        if let running = state.running { state.effective = running }
      case .began(_, _, let time): if state.running == nil { state.running = time }
      case .returned: break
      case .ended(let record):
        state.running = nil
        state.effective = record.started
        state.ended = record
        if let failure = record.failure { state.failures.append("\(failure)") }
      }
    }
  }

  /// Waits until the rules of a sync stand that began at this moment or later.
  package func waitForEffect(since moment: UInt64, timeout: Duration) throws {
    _ = try wait(timeout, "the rules of a sync") { $0.effective >= moment ? true : nil }
  }

  /// Waits for the end of such a sync.
  package func waitForEnd(since moment: UInt64, timeout: Duration) throws -> SyncRecord {
    try wait(timeout, "the end of a sync") { state in
      state.ended.flatMap { $0.started >= moment ? $0 : nil }
    }
  }

  /// Why syncs were aborted.
  package var failures: [String] { state.withLock { $0.failures } }

  private func wait<Found: Sendable>(_ timeout: Duration, _ what: String, _ body: (State) -> Found?) throws -> Found {
    let deadline = ContinuousClock().now + timeout
    repeat {
      if let found = state.withLock({ body($0) }) { return found }
      // A record tells the times; waiting is nobody's figure.
      usleep(200)
    } while ContinuousClock().now < deadline
    throw LabError("waited \(timeText(timeout)) for \(what)")
  }
}
