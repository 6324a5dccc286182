internal import CLinux
internal import Glibc
internal import SystemPackage

/// A file without a name, in memory, closed with its last reference. The corresponding C function is `memfd_create`.
///
/// Serves as a child's standard input, and as a lock file that no other lab shares (XTABLES_LOCKFILE).
public final class MemoryFile: Sendable {
  public let fd: Int32

  /// Creates the file with `contents`, to be read from its start.
  public init(_ name: String, contents: [UInt8] = []) throws(KernelError) {
    let descriptor = FileDescriptor(rawValue: try checked("memfd_create \(name)", cl_memfd_create(name)))
    fd = descriptor.rawValue
    try named("write memfd \(name)") {
      _ = try descriptor.writeAll(contents)
      try descriptor.seek(offset: 0, from: .start)
    }
  }

  deinit { close(fd) }

  /// A path that opens this file in any process that inherited its descriptor.
  public var path: String { "/proc/self/fd/\(fd)" }
}
