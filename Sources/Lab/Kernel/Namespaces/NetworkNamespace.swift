internal import CLinux
internal import Glibc
internal import SystemPackage

/// An anonymous network namespace (network_namespaces(7)). It has no name, only this descriptor.
///
/// It lives as long as this value or a thread, socket or child process in it. When it ends, its ends of veth pairs are
/// removed, and with them the other ends. Nothing is left behind when the process is killed.
public final class NetworkNamespace: Sendable {
  public let fd: Int32

  init(owning fd: Int32) { self.fd = fd }
  deinit { close(fd) }

  /// The namespace of the calling thread. The value keeps it alive.
  public static func ofCallingThread() throws(KernelError) -> NetworkNamespace {
    let path = "/proc/thread-self/ns/net"
    do {
      let file = try named("open \(path)") {
        try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
      }
      return NetworkNamespace(owning: file.rawValue)
    } catch {
      var error = error
      if error.code == ENOENT { error.message = "/proc is needed: mount -t proc proc /proc" }
      throw error
    }
  }

  /// Identifies the namespace: two values with the same inode number are the same namespace. The corresponding C
  /// function is `fstat`.
  public var inode: UInt64 {
    get throws(KernelError) {
      var status = stat()
      try call("fstat of a namespace") { fstat(fd, &status) }
      return UInt64(status.st_ino)
    }
  }

  /// Moves the calling thread into this namespace. The corresponding C function is `setns`.
  func enter() throws(KernelError) {
    try checked("setns to a network namespace", cl_setns(fd, Int32(CL_NEWNET)))
  }
}
