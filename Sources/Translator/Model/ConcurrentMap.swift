internal import Dispatch
package import Synchronization

/// Whether `concurrentMap` may start threads. A process with several can't enter a user namespace (unshare(2)), so a
/// program that still has to do so says no until then.
package let mayStartThreads = Atomic<Bool>(true)

/// Computes values on all processors, in order.
package func concurrentMap<Value: Sendable>(_ count: Int, _ body: @Sendable (Int) -> Value) -> [Value] {
  if count < 2 || !mayStartThreads.load(ordering: .relaxed) { return (0..<count).map(body) }
  let values = Mutex([Value?](repeating: nil, count: count))
  DispatchQueue.concurrentPerform(iterations: count) { index in
    let value = body(index)
    values.withLock { $0[index] = value }
  }
  return values.withLock { $0.compactMap { $0 } }
}

/// A value that other threads compute while the caller does something else. Without threads it is computed when it is
/// asked for.
package final class InAdvance<Value: Sendable>: Sendable {
  private let group = DispatchGroup()
  private let result: Mutex<Value?> = Mutex(nil)
  private let body: @Sendable () -> Value

  package init(_ body: @escaping @Sendable () -> Value) {
    self.body = body
    if !mayStartThreads.load(ordering: .relaxed) { return }
    DispatchQueue.global().async(group: group) {
      let value = body()
      self.result.withLock { $0 = value }
    }
  }

  /// Waits until it is there.
  package var value: Value {
    group.wait()
    return result.withLock { $0 } ?? body()
  }
}
