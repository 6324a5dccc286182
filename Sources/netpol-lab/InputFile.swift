import Foundation
import Glibc
import NetpolModel
import Text

/// Why an input file can't be read, in one line.
struct InputFileError: UserFacingError {
  let path: String
  let problem: String
  var description: String { "\(path.cut(to: 400)): \(problem)".onOneLine }
  var exitStatus: ExitStatus { .badInput }
}

/// Reads files that the user names: regular files, and pipes such as `<(kubectl get pods -o yaml)`.
enum InputFile {
  /// The largest input, in bytes.
  static let limit = 256 << 20

  /// The contents as UTF-8 text. `-` is standard input.
  static func text(_ path: String) throws(InputFileError) -> String {
    if path == "-" { return try text(path, FileHandle.standardInput) }
    var status = stat()
    guard stat(path, &status) == 0, let file = FileHandle(forReadingAtPath: path) else {
      throw InputFileError(path: path, problem: "can't be read; check the path and its permissions")
    }
    defer { try? file.close() }
    switch status.st_mode & S_IFMT {
    case S_IFREG:
      if status.st_size > limit { throw tooLarge(path) }
    case S_IFIFO: break
    case S_IFCHR where path == "/dev/null": break
    default: throw InputFileError(path: path, problem: "is neither a file nor a pipe")
    }
    return try text(path, file)
  }

  private static func text(_ name: String, _ file: FileHandle) throws(InputFileError) -> String {
    var data = Data()
    do {
      while let chunk = try file.read(upToCount: 1 << 20), !chunk.isEmpty {
        data += chunk
        if data.count > limit { break }
      }
    } catch { throw InputFileError(path: name, problem: "can't be read") }
    if data.count > limit { throw tooLarge(name) }
    guard let text = String(bytes: data, encoding: .utf8) else {
      throw InputFileError(path: name, problem: "is not UTF-8 text; convert it, or leave it out")
    }
    return text
  }

  private static func tooLarge(_ name: String) -> InputFileError {
    InputFileError(
      path: name, problem: "has more than \(limit >> 20) MiB; split it, or leave out what has no pods or policies")
  }
}
