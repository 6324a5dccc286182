// Not covered: that a killed process leaves nothing behind, and a thread that can't return to its namespace.
import Glibc
import Kernel
import TestSupport
import Testing

@Suite(.needsNamespaces) struct NamespaceWorkerTests {
  private struct ProbeRefusal: Error {}

  private func here() throws -> UInt64 { try NetworkNamespace.ofCallingThread().inode }

  @Test func aBodyRunsInItsNamespaceAndTheCallerStaysWhereItIs() throws {
    let sandbox = try Sandbox()
    let before = try here()
    #expect(try sandbox.run { try here() } == sandbox.namespace.inode)
    #expect(try here() == before)
    #expect(try sandbox.worker.onThread { try here() } == before)
  }

  @Test func theWorkerReturnsHomeAfterAThrow() throws {
    let sandbox = try Sandbox()
    let home = try sandbox.worker.onThread { try here() }
    #expect(throws: ProbeRefusal.self) { try sandbox.run { throw ProbeRefusal() } }
    #expect(try sandbox.worker.onThread { try here() } == home)
  }

  @Test func runsNest() throws {
    let sandbox = try Sandbox()
    let worker = sandbox.worker
    var seen: [UInt64] = []
    let inner = try sandbox.run {
      seen.append(try here())
      let inner = try worker.makeNamespace()
      seen.append(try here())
      seen.append(try worker.run(in: inner) { try worker.onThread { try here() } })
      _ = try? worker.run(in: inner) { throw ProbeRefusal() }
      seen.append(try here())
      return inner
    }
    let outer = try sandbox.namespace.inode
    #expect(try seen == [outer, outer, inner.inode, outer])
  }

  @Test func aSocketKeepsTheNamespaceItWasOpenedIn() throws {
    let sandbox = try Sandbox()
    var batch = RouteBatch()
    batch.createBridge("br7", index: 77)
    let socket = try sandbox.run { try NetlinkSocket(.route) }
    try batch.send(in: socket)
    #expect(try sandbox.output(of: "ip", "-o", "link").contains("77: br7"))
  }

  @Test func callsFromManyThreadsAreRunOneAtATime() async throws {
    let sandbox = try Sandbox()
    let worker = sandbox.worker
    let namespace = sandbox.namespace
    nonisolated(unsafe) var count = 0
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<16 {
        group.addTask { for _ in 0..<50 { try worker.run(in: namespace) { count += 1 } } }
      }
      try await group.waitForAll()
    }
    #expect(count == 800)
  }

  @Test func aClosedWorkerRefusesCalls() throws {
    let sandbox = try Sandbox()
    sandbox.worker.close()
    sandbox.worker.close()
    #expect { try sandbox.run {} } throws: { ($0 as? KernelError)?.code == ESHUTDOWN }
  }

  @Test func theThreadEndsWithItsWorker() throws {
    var worker: NamespaceWorker? = try NamespaceWorker()
    let thread = try #require(try worker?.onThread { symbolicLink("/proc/thread-self") })
    #expect(access("/proc/\(thread)", F_OK) == 0)
    worker = nil
    let deadline = MonotonicClock.now + 2_000_000_000
    while access("/proc/\(thread)", F_OK) == 0, MonotonicClock.now < deadline { usleep(1000) }
    #expect(access("/proc/\(thread)", F_OK) != 0)
  }
}
