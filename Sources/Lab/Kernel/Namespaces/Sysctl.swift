internal import Glibc
internal import SystemPackage

/// Kernel parameters under /proc/sys (sysctl(8)). Those under `net/` belong to the calling thread's network namespace.
public enum Sysctl {
  /// Writes a value. `path` has slashes, as in `net/ipv4/ip_forward`, because an interface name may contain a dot.
  public static func write(_ path: String, _ value: String) throws(KernelError) {
    _ = try named("sysctl \(path) = \(value)") {
      let file = try FileDescriptor.open(FilePath("/proc/sys/\(path)"), .writeOnly, options: .closeOnExec)
      // A single write(2): the kernel takes each one as a whole value.
      return try file.closeAfter { try Array(value.utf8).withUnsafeBytes { try file.write($0) } }
    }
  }

  /// The same. Returns `false` if the parameter doesn't exist: a module that isn't loaded has none.
  public static func writeIfPresent(_ path: String, _ value: String) throws(KernelError) -> Bool {
    do {
      try write(path, value)
      return true
    } catch {
      if error.code == ENOENT { return false }
      throw error
    }
  }

  /// Returns the value without its trailing newline.
  public static func read(_ path: String) throws(KernelError) -> String {
    try named("sysctl \(path)") {
      let file = try FileDescriptor.open(FilePath("/proc/sys/\(path)"), .readOnly, options: .closeOnExec)
      let bytes = try file.closeAfter { try file.readAll() }
      let text = String(decoding: bytes, as: UTF8.self)
      return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }
  }

  /// Whether the parameter exists here. A module that isn't loaded has no parameters.
  public static func exists(_ path: String) -> Bool {
    guard let file = try? FileDescriptor.open(FilePath("/proc/sys/\(path)"), .readOnly, options: .closeOnExec) else {
      return false
    }
    try? file.close()
    return true
  }
}

extension FileDescriptor {
  /// Reads to the end of the file.
  func readAll() throws -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = try chunk.withUnsafeMutableBytes { try read(into: $0) }
      if count == 0 { return bytes }
      bytes += chunk[..<count]
    }
  }
}
