internal import Glibc

/// Passes closures to one thread and waits for each. It doesn't depend on namespaces.
///
/// Unchecked: `jobs`, `closed` and `ended` are guarded by `mutex`. A condition variable can't wait on Synchronization's
/// Mutex.
final class WorkQueue: @unchecked Sendable {
  private struct Job {
    let run: () -> Void
    let done: UnsafeMutablePointer<Bool>
  }

  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let arrived = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let finished = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var jobs: [Job] = []
  private var closed = false
  private var ended = false

  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(arrived, nil)
    pthread_cond_init(finished, nil)
  }

  deinit {
    pthread_cond_destroy(finished)
    pthread_cond_destroy(arrived)
    pthread_mutex_destroy(mutex)
    finished.deallocate()
    arrived.deallocate()
    mutex.deallocate()
  }

  /// Runs `job` on the serving thread. Returns false without running it if the queue is closed.
  func perform(_ job: () -> Void) -> Bool {
    var done = false
    return withUnsafeMutablePointer(to: &done) { done in
      // The thread is done with the closure before this call returns.
      withoutActuallyEscaping(job) { job in
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        if closed { return false }
        jobs.append(Job(run: job, done: done))
        pthread_cond_signal(arrived)
        while !done.pointee { pthread_cond_wait(finished, mutex) }
        return true
      }
    }
  }

  /// Runs jobs on the calling thread until the queue is closed and empty.
  func serve() {
    pthread_mutex_lock(mutex)
    while true {
      while jobs.isEmpty, !closed { pthread_cond_wait(arrived, mutex) }
      if jobs.isEmpty { break }
      runFirst()
    }
    ended = true
    pthread_cond_broadcast(finished)
    pthread_mutex_unlock(mutex)
  }

  /// A separate function, so that the closure is released before its caller's stack frame can end.
  private func runFirst() {
    let done: UnsafeMutablePointer<Bool>
    do {
      let job = jobs.removeFirst()
      done = job.done
      pthread_mutex_unlock(mutex)
      job.run()
    }
    pthread_mutex_lock(mutex)
    done.pointee = true
    pthread_cond_broadcast(finished)
  }

  /// Whether a thread is in `serve`, or still to come.
  var isServed: Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return !ended
  }

  /// Stops accepting jobs.
  func close() {
    pthread_mutex_lock(mutex)
    closed = true
    pthread_cond_signal(arrived)
    pthread_mutex_unlock(mutex)
  }

  /// Waits until `serve` has ended.
  func waitForEnd() {
    pthread_mutex_lock(mutex)
    while !ended { pthread_cond_wait(finished, mutex) }
    pthread_mutex_unlock(mutex)
  }
}
