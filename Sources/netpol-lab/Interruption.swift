import Glibc
import Synchronization

/// Records the first Ctrl-C, so that a long run can end early with a report. A second Ctrl-C ends the program.
enum Interruption {
  private static let wasAsked = Atomic(false)

  static var isAsked: Bool { wasAsked.load(ordering: .relaxed) }

  /// `others`: signals that ask for the same, such as SIGTERM.
  static func listen(andEndBy others: [Int32] = []) {
    // The first use creates the flag under a lock, which a signal handler must not wait for.
    wasAsked.store(false, ordering: .relaxed)
    // Who started this program may have blocked them, and threads inherit that.
    var asked = sigset_t()
    sigemptyset(&asked)
    for number in [SIGINT] + others { sigaddset(&asked, number) }
    pthread_sigmask(SIG_UNBLOCK, &asked, nil)
    for number in [SIGINT] + others {
      signal(number) { number in
        signal(number, SIG_DFL)
        Interruption.wasAsked.store(true, ordering: .relaxed)
      }
    }
  }
}
