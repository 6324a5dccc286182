import Foundation
import Synchronization

/// Standard error: notes, and progress where a person looks on.
enum Terminal {
  private static let shown = Mutex("")

  static var isInteractive: Bool { isatty(2) == 1 }

  /// Standard output. Throws where it can't be written: a full disk must not look like success.
  static func print(_ text: String) throws {
    do { try FileHandle.standardOutput.write(contentsOf: Data(text.utf8)) } catch {
      throw OutputError(description: "standard output can't be written: \(error.localizedDescription)")
    }
  }

  /// The same, of a JSON document: with a line feed at its end.
  static func print(json: Data) throws { try print(String(decoding: json, as: UTF8.self) + "\n") }

  static func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

  /// Replaces the line of progress, if it is another one; nothing in a pipe.
  static func progress(_ text: String) {
    guard isInteractive else { return }
    shown.withLock { shown in
      if text == shown { return }
      shown = text
      FileHandle.standardError.write(Data("\r\u{1b}[K\(text)".utf8))
    }
  }

  /// Columns of the terminal on standard output; 100 in a pipe.
  static var width: Int {
    var size = winsize()
    return ioctl(1, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 100
  }
}

/// Output that could not be written.
struct OutputError: Error, CustomStringConvertible {
  let description: String
}
