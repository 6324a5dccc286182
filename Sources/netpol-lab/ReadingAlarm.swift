import Glibc
import Synchronization

/// Tells which text a reader traps on or never ends with. Both end the process with exit code 1.
enum ReadingAlarm {
  private static let number = Atomic<UInt64>(0)
  /// For a text, in seconds by the clock. A busy machine gives the process only a part of that.
  private static let patience: UInt32 = 300
  /// Handlers run on it, because a trap may be the end of the thread's own stack.
  private nonisolated(unsafe) static let stack = UnsafeMutableRawPointer.allocate(byteCount: 1 << 16, alignment: 16)

  static func listen() {
    // The first use creates the number under a lock, which a signal handler must not wait for.
    number.store(0, ordering: .relaxed)
    var place = stack_t(ss_sp: stack, ss_flags: 0, ss_size: 1 << 16)
    sigaltstack(&place, nil)
    for signal in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGALRM] {
      var action = sigaction()
      action.sa_flags = Int32(SA_ONSTACK)
      action.__sigaction_handler.sa_handler = { ReadingAlarm.end($0) }
      sigaction(signal, &action, nil)
    }
  }

  /// A text is about to be read.
  static func begin(_ text: UInt64) {
    number.store(text, ordering: .relaxed)
    alarm(patience)
  }

  /// All texts are read.
  static func end() { alarm(0) }

  /// Async-signal-safe: allocates nothing.
  private static func end(_ signal: Int32) {
    say(signal == SIGALRM ? "still reading text " : "a trap while reading text ")
    let number = number.load(ordering: .relaxed)
    var power: UInt64 = 1
    while number / power >= 10 { power *= 10 }
    while power > 0 {
      var digit = UInt8(ascii: "0") + UInt8(number / power % 10)
      _ = write(2, &digit, 1)
      power /= 10
    }
    say("; the same --seed leads to it\n")
    _exit(1)
  }

  private static func say(_ text: StaticString) { _ = write(2, text.utf8Start, text.utf8CodeUnitCount) }
}
