import Glibc
import Synchronization

/// Whether the user has pressed Ctrl-C: what takes long ends with what it has, and a second time ends the program.
enum Interruption {
  private static let wasAsked = Atomic(false)

  static var isAsked: Bool { wasAsked.load(ordering: .relaxed) }

  static func listen() {
    // Made by its first use, under a lock that a handler may not wait for.
    wasAsked.store(false, ordering: .relaxed)
    signal(SIGINT) { _ in
      signal(SIGINT, SIG_DFL)
      Interruption.wasAsked.store(true, ordering: .relaxed)
    }
  }
}
