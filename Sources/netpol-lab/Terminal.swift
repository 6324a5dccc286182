import Foundation
import Glibc
import NetpolModel
import Synchronization

/// Standard output, and standard error: notes, and progress where a person looks on.
enum Terminal {
  private static let shown = Mutex("")

  static var isInteractive: Bool { isatty(2) == 1 }

  /// A file that is opened while one of the standard streams is closed gets its number, and what is meant for the user
  /// would be written there. So a number that is free is taken, in a way that fails what is read and written there.
  static func reserveStandardStreams() {
    for number: Int32 in 0...2 where fcntl(number, F_GETFD) == -1 {
      _ = open("/dev/null", number == 1 ? O_RDONLY : O_WRONLY)
    }
  }

  /// Standard output. Throws where it can't be written: a full disk must not look like success.
  static func print(_ text: String) throws(OutputError) {
    do { try FileHandle.standardOutput.write(contentsOf: Data(text.utf8)) } catch {
      throw OutputError(description: "standard output can't be written: \(error.localizedDescription)")
    }
  }

  /// The same, of a JSON document: with a line feed at its end.
  static func print(json: Data) throws(OutputError) { try print(String(decoding: json, as: UTF8.self) + "\n") }

  static func say(_ text: String) { writeError(text + "\n") }

  /// Replaces the line of progress, if it is another one; nothing in a pipe.
  static func progress(_ text: String) {
    guard isInteractive else { return }
    shown.withLock { shown in
      if text == shown { return }
      shown = text
      writeError("\r\u{1b}[K\(text)")
    }
  }

  /// Where standard error can't be written, what the program does and how it ends is the same. A pipe that nobody reads
  /// would end it by a signal, which is kept back and taken off.
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

  /// Columns of the terminal on standard output; 100 in a pipe.
  static var width: Int {
    var size = winsize()
    return ioctl(1, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 100
  }
}

/// Output that could not be written.
struct OutputError: UserFacingError {
  let description: String
  var exitStatus: ExitStatus { .machine }
}
