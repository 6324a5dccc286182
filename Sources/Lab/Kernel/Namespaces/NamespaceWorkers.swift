internal import CLinux
internal import Synchronization

/// Several workers, for work that may go on in different namespaces at the same time.
public final class NamespaceWorkers: Sendable {
  private let workers: [NamespaceWorker]

  /// Starts the threads. If no number is given, there is one for each processor that the calling thread may use, but no
  /// fewer than two: they often wait for the kernel.
  public init(count: Int? = nil) throws(KernelError) {
    var workers: [NamespaceWorker] = []
    for _ in 0..<(count ?? max(2, Int(cl_processor_count()))) { workers.append(try NamespaceWorker()) }
    self.workers = workers
  }

  /// Returns what `body` makes of each item, in order. It runs on the thread of the worker that it gets.
  ///
  /// Items are begun in order. After an error no further item is begun, and those that were begun are finished. Then
  /// the
  /// error of the first item that failed is thrown. All items before it were begun too, so it is the same error however
  /// fast the threads are.
  public func map<Item: Sendable, Result: Sendable>(
    _ items: [Item], _ body: @escaping @Sendable (Item, NamespaceWorker) throws -> Result
  ) throws -> [Result] {
    let course = Course<Result>(items.count)
    let threads = try workers.prefix(items.count).map { worker in
      try JoinedThread {
        while let index = course.next() {
          course.end(index, Swift.Result { try worker.onThread { try body(items[index], worker) } })
        }
      }
    }
    for thread in threads { thread.join() }
    return try course.results()
  }
}

/// How far the items are.
private final class Course<Result: Sendable>: Sendable {
  private struct State {
    var begun = 0
    var hasFailed = false
    var outcomes: [Swift.Result<Result, any Error>?]
  }

  private let state: Mutex<State>

  init(_ count: Int) { state = Mutex(State(outcomes: Array(repeating: nil, count: count))) }

  /// The next item to begin. `nil` if there is none, or one has failed.
  func next() -> Int? {
    state.withLock { state in
      guard !state.hasFailed, state.begun < state.outcomes.count else { return nil }
      defer { state.begun += 1 }
      return state.begun
    }
  }

  func end(_ index: Int, _ outcome: Swift.Result<Result, any Error>) {
    state.withLock { state in
      if case .failure = outcome { state.hasFailed = true }
      state.outcomes[index] = outcome
    }
  }

  func results() throws -> [Result] { try state.withLock { $0.outcomes }.compactMap { try $0?.get() } }
}
