import Foundation
import Kernel
import TestSupport
import Testing

@Suite(.needsNamespaces) struct NamespaceWorkersTests {
  private struct Refusal: Error, Equatable { let item: Int }

  @Test("work in two namespaces overlaps in time, each on a thread in its namespace")
  func overlap() async throws {
    try await blocking {
      let workers = try NamespaceWorkers(count: 2)
      let maker = try NamespaceWorker()
      let namespaces = [try maker.makeNamespace(), try maker.makeNamespace()]
      let begun = (0..<2).map { _ in DispatchSemaphore(value: 0) }
      let seen = try workers.map([0, 1]) { item, worker in
        try worker.run(in: namespaces[item]) {
          begun[item].signal()
          // Each waits for the other: one after the other, the first would wait in vain.
          let overlaps = begun[1 - item].wait(timeout: .now() + .seconds(20)) == .success
          return (overlaps, try NetworkNamespace.ofCallingThread().inode)
        }
      }
      #expect(seen.map(\.0) == [true, true])
      #expect(try seen.map(\.1) == namespaces.map { try $0.inode })
    }
  }

  @Test("results are in the order of the items, however many there are")
  func order() async throws {
    try await blocking {
      let workers = try NamespaceWorkers(count: 3)
      for count in [0, 1, 2, 50] {
        #expect(try workers.map(Array(0..<count)) { item, _ in item * item } == (0..<count).map { $0 * $0 })
      }
    }
  }

  @Test("the error is that of the first item that failed, although a later one failed sooner; no other work is begun")
  func firstError() async throws {
    try await blocking {
      let workers = try NamespaceWorkers(count: 2)
      let failed = DispatchSemaphore(value: 0)
      let begun = Begun()
      #expect(throws: Refusal(item: 1)) {
        _ = try workers.map(Array(0..<20)) { item, _ in
          begun.note(item)
          // The second item fails only after the third has.
          if item == 1 { _ = failed.wait(timeout: .now() + .seconds(20)) }
          if item == 2 { failed.signal() }
          if item > 0 { throw Refusal(item: item) }
        }
      }
      #expect(begun.items.isSuperset(of: [0, 1, 2]) && begun.items.count <= 4)
    }
  }

  private final class Begun: @unchecked Sendable {
    private let lock = NSLock()
    private var noted: Set<Int> = []
    func note(_ item: Int) { lock.withLock { _ = noted.insert(item) } }
    var items: Set<Int> { lock.withLock { noted } }
  }
}
