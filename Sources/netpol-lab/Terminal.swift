import Foundation
import Glibc
import NetpolModel
import Synchronization
import Text

/// Standard output for results, and standard error for notes and, on a terminal, progress.
enum Terminal {
  private static let shown = Mutex("")

  static var isInteractive: Bool { isatty(2) == 1 }

  /// Occupies the descriptors of closed standard streams. Otherwise the next file that is opened gets such a descriptor, and
  /// output for the user would end up in that file. Reading from or writing to an occupied descriptor fails.
  static func reserveStandardStreams() {
    for number: Int32 in 0...2 where fcntl(number, F_GETFD) == -1 {
      _ = open("/dev/null", number == 1 ? O_RDONLY : O_WRONLY)
    }
  }

  /// Writes to standard output. Throws if that fails, because a full disk must not look like success.
  static func print(_ text: String) throws(OutputError) { try print(data: Data(text.utf8)) }

  /// Writes bytes to standard output.
  static func print(data: Data) throws(OutputError) {
    do { try FileHandle.standardOutput.write(contentsOf: data) } catch {
      throw OutputError(description: "standard output can't be written: \(error.localizedDescription)")
    }
  }

  /// Writes a JSON document and a line feed to standard output.
  static func print(json: Data) throws(OutputError) { try print(String(decoding: json, as: UTF8.self) + "\n") }

  /// Writes lines to standard error. Input text in them can't act on the terminal.
  static func say(_ text: String) { writeError(text.printable + "\n") }

  /// Replaces the line of progress if it changed. Does nothing in a pipe.
  static func progress(_ text: String) {
    guard isInteractive else { return }
    shown.withLock { shown in
      if text == shown { return }
      shown = text
      writeError("\r\u{1b}[K\(text)")
    }
  }

  /// Writes to standard error. If that fails, the program goes on and its exit code stays the same. A pipe without a reader
  /// would end the program by SIGPIPE, so the signal is blocked and removed.
  private static func writeError(_ text: String) {
    var (pipe, before) = (sigset_t(), sigset_t())
    sigemptyset(&pipe)
    sigaddset(&pipe, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &pipe, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    do { try FileHandle.standardError.write(contentsOf: Data(text.utf8)) } catch {
      var (pending, number) = (sigset_t(), Int32(0))
      sigpending(&pending)
      if sigismember(&pending, SIGPIPE) == 1 { sigwait(&pipe, &number) }
    }
  }

  /// Width of the terminal in columns; 100 in a pipe.
  static var width: Int {
    var size = winsize()
    return ioctl(1, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 100
  }
}

/// Why output could not be written.
struct OutputError: UserFacingError {
  let description: String
  var exitStatus: ExitStatus { .machine }
}
