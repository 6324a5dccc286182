internal import CLinux
internal import Glibc
internal import SystemPackage

/// A pipe for a child's output. The child has one end, this process the other.
struct OutputPipe: ~Copyable {
  private let readEnd: OwnedDescriptor
  private let writeEnd: OwnedDescriptor
  var writer: Int32 { writeEnd.number }

  init() throws(KernelError) {
    var ends: [Int32] = [-1, -1]
    try checked("pipe", cl_output_pipe(&ends))
    readEnd = OwnedDescriptor(ends[0])
    writeEnd = OwnedDescriptor(ends[1])
  }

  /// Closes the child's end here, once the child has it. While it is open here too, the pipe never reports its end.
  consuming func capture() -> CapturedOutput { CapturedOutput(readEnd) }
}

/// The output that a child has written so far.
struct CapturedOutput: ~Copyable {
  private let reader: OwnedDescriptor
  private var ended = false
  private(set) var bytes: [UInt8] = []

  init(_ reader: consuming OwnedDescriptor) { self.reader = reader }

  /// The descriptor for poll(2), or -1 after the end, which poll ignores.
  var pollNumber: Int32 { ended ? -1 : reader.number }

  /// Reads what the pipe holds. Bounded, so that an endless writer can't keep the caller from checking the clock.
  mutating func drain() throws(KernelError) {
    let file = reader.file
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    for _ in 0..<16 where !ended {
      let count: Int
      do {
        count = try chunk.withUnsafeMutableBytes { try file.read(into: $0) }
      } catch Errno.resourceTemporarilyUnavailable {
        return
      } catch {
        throw KernelError("read a program's output", error as? Errno ?? .ioError)
      }
      if count == 0 { ended = true }
      bytes += chunk[..<count]
    }
  }
}
