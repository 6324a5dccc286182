internal import CNftables  // owns struct timespec in a whole-module build
internal import Glibc

/// A queue with room for one waiting request besides the one in progress. It models kube-router's channel of capacity
/// one with non-blocking sends: further requests are merged into the waiting one.
///
/// Unchecked: everything is guarded by `mutex`. A condition variable can't wait on Synchronization's Mutex.
public final class SyncQueue: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  /// When the waiting request arrived, in nanoseconds on `MonotonicClock`.
  private var waiting: UInt64?
  private var isWorking = false
  private var isClosed = false
  private var isServed = false

  public init() {
    pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(changed, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
  }

  private func locked<Result>(_ body: () throws -> Result) rethrows -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body()
  }

  public func request(at time: UInt64) {
    locked {
      if waiting == nil { waiting = time }
      pthread_cond_broadcast(changed)
    }
  }

  /// Handles requests one at a time on the calling thread until the queue is closed.
  public func serve(_ work: (_ requested: UInt64) -> Void) {
    locked { isServed = true }
    while let requested = next() {
      work(requested)
      locked {
        isWorking = false
        pthread_cond_broadcast(changed)
      }
    }
    locked {
      (isServed, isClosed, isWorking, waiting) = (false, true, false, nil)
      pthread_cond_broadcast(changed)
    }
  }

  private func next() -> UInt64? {
    locked {
      while waiting == nil, !isClosed { pthread_cond_wait(changed, mutex) }
      guard !isClosed, let requested = waiting else { return nil }
      (waiting, isWorking) = (nil, true)
      return requested
    }
  }

  /// Waits until no request is waiting or in progress. Returns false if that isn't so by `deadline` on
  /// `MonotonicClock`.
  public func waitUntilIdle(until deadline: UInt64) -> Bool {
    locked {
      while !isClosed, waiting != nil || isWorking {
        var time = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
        if pthread_cond_timedwait(changed, mutex, &time) == ETIMEDOUT { return false }
      }
      return true
    }
  }

  /// Stops accepting requests. The request in progress continues; the waiting one is dropped.
  public func close() {
    locked {
      isClosed = true
      pthread_cond_broadcast(changed)
    }
  }

  public func waitForEnd() {
    locked {
      while isServed { pthread_cond_wait(changed, mutex) }
    }
  }
}
