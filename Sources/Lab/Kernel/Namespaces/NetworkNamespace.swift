internal import CLinux
internal import Glibc
internal import SystemPackage

/// An anonymous network namespace (network_namespaces(7)): it has no name, only this descriptor.
///
/// It lives as long as this value, a thread, a socket or a child in it; its ends of veth pairs, and with them the
/// other ends, go with it. When the process is killed, nothing stays.
public final class NetworkNamespace: Sendable {
  public let fd: Int32

  init(owning fd: Int32) { self.fd = fd }
  deinit { close(fd) }

  /// The namespace the calling thread is in, which keeps it alive.
  public static func ofCallingThread() throws(KernelError) -> NetworkNamespace {
    let path = "/proc/thread-self/ns/net"
    let file = try named("open \(path)") {
      try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
    }
    return NetworkNamespace(owning: file.rawValue)
  }

  /// Which namespace this is: two values with one inode number are the same. The corresponding C function is `fstat`.
  public var inode: UInt64 {
    get throws(KernelError) {
      var status = stat()
      try call("fstat of a namespace") { fstat(fd, &status) }
      return UInt64(status.st_ino)
    }
  }

  /// Moves the calling thread here. The corresponding C function is `setns`.
  func enter() throws(KernelError) {
    try checked("setns to a network namespace", cl_setns(fd, Int32(CL_NEWNET)))
  }
}
