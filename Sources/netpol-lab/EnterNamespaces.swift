import Foundation
import Kernel
import NetpolModel
import Network
import Synchronization

/// Gets the rights that namespaces and packets need. An ordinary user enters a user namespace, and so does a root that
/// lacks a capability.
///
/// Call it after arguments and files are checked, so that bad input is exit code 2 on any machine. Call it while the
/// process
/// has one thread, because unshare(2) refuses a user namespace to a process with several. Reading files starts no
/// thread.
/// Returns whether the process is in a user namespace now. Throws `LabError` if the machine allows no user namespace.
@discardableResult
func enterNamespaces() throws -> Bool {
  defer { startThreads() }
  if hasRights { return false }
  let isRoot = geteuid() == 0
  let missing = Capability.missing.map(\.description).joined(separator: ", ")
  do { try Privilege.enterUserNamespace() } catch {
    throw LabError(
      isRoot
        ? "needs \(missing), or user namespaces; in a container, `docker run --privileged` gives them: \(error)"
        : "needs root or user namespaces: \(error)")
  }
  return true
}

/// Whether the process can make namespaces as it is.
private var hasRights: Bool { geteuid() == 0 && Capability.missing.isEmpty }

/// Keeps the process at one thread until it has entered a user namespace, if it has to.
func startThreadsOnlyWithRights() { mayStartThreads.store(hasRights && countsThreads, ordering: .relaxed) }

/// For a command that makes no namespaces: nothing keeps it at one thread.
func startThreads() { mayStartThreads.store(countsThreads, ordering: .relaxed) }

/// libdispatch reads the state of its threads in /proc, and traps if it is not there
/// (`_dispatch_workq_count_runnable_workers`).
private var countsThreads: Bool { access("/proc/self/task", R_OK | X_OK) == 0 }
