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
