internal import CLinux
internal import Glibc

/// What the process may do with namespaces.
public enum Privilege {
  /// Whether this process can make network namespaces.
  public static var canMakeNamespaces: Bool { obstacle == nil }

  /// Why it can't, and what to do about it; `nil` if it can.
  ///
  /// Tested by calling `unshare` on a short-lived thread, not derived from the user ID and capabilities.
  public static var obstacle: String? {
    do {
      let worker = try NamespaceWorker()
      defer { worker.close() }
      _ = try worker.makeNamespace()
      return nil
    } catch {
      return "\(error)"
    }
  }

  /// The error of `unshare`, with what to do about it.
  static func explained(_ error: KernelError) -> KernelError {
    var error = error
    switch error.code {
    case EPERM: error.message = "run as root, or in a user namespace: unshare -Urnm COMMAND"
    case ENOSPC: error.message = "the limit is reached; raise it with `sysctl user.max_net_namespaces=100000`"
    case EINVAL: error.message = "the kernel has no network namespaces (CONFIG_NET_NS)"
    default: break
    }
    return error
  }

  /// Makes an ordinary user, or a root without all capabilities, root of a user namespace with its own network, mounts and /run.
  ///
  /// Call it first in `main`, before anything starts a thread. The namespaces end with the process. The corresponding C
  /// functions are `unshare` and `mount`; the ID maps are written as described in user_namespaces(7).
  public static func enterUserNamespace() throws(KernelError) {
    var step: UnsafePointer<CChar>?
    let code = -cl_enter_user_namespace(&step)
    guard code != 0 else { return }
    let hint: String? =
      switch code {
      case EINVAL: "the process has several threads, or the kernel has no user namespaces"
      case ENOSPC: "the limit is reached; raise it with `sysctl user.max_user_namespaces=10000`"
      case EPERM, EACCES:
        "user namespaces are disabled for this process: check the sysctls kernel.unprivileged_userns_clone and "
          + "kernel.apparmor_restrict_unprivileged_userns"
      default: nil
      }
    throw KernelError("enter a user namespace: " + (step.map { String(cString: $0) } ?? ""), code: code, message: hint)
  }
}
