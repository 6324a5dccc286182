import Foundation
import Glibc
import NetpolModel
import Report
import Run

/// A file that gets every flow of a run, one JSON object a line.
final class FlowLines {
  private let file: FileHandle
  private var buffer = Data()
  private var error: (any Error)?
  private let name: String
  private let isTemporary: Bool
  private let strict: Bool
  private static let suffix = ".partial"

  /// Throws `InputError` if the file can't be written.
  init(_ name: String, strict: Bool) throws {
    self.name = name
    self.strict = strict
    // An interrupted run leaves no file that looks whole.
    var status = stat()
    isTemporary = stat(name, &status) != 0 || status.st_mode & S_IFMT == S_IFREG
    let descriptor = open(isTemporary ? name + Self.suffix : name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw InputError("--flows \(name): the file can't be written; name one in a folder that you may write to")
    }
    file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  func write(_ flow: JudgedFlow) {
    guard error == nil else { return }
    buffer.append(flow.line(strict: strict))
    if buffer.count > 1 << 20 { flush() }
  }

  private func flush() {
    do {
      try file.write(contentsOf: buffer)
    } catch {
      self.error = error
    }
    buffer.removeAll(keepingCapacity: true)
  }

  /// Throws `InputError` if something could not be written.
  func close() throws {
    flush()
    try? file.close()
    if error == nil, isTemporary, rename(name + Self.suffix, name) != 0 { error = InputError("it can't be renamed") }
    if let error { throw InputError("--flows \(name): \(error.localizedDescription)") }
  }
}
