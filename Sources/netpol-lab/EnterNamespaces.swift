import Foundation
import Kernel
import Network

/// Gets the rights that namespaces and packets need: an ordinary user enters a user namespace.
///
/// Call it after arguments and files are checked, so that bad input is exit code 2 on any machine. Call it while the process
/// has one thread, because unshare(2) refuses a user namespace to a process with several. Reading files starts no thread.
/// Throws `LabError` if the machine allows no user namespace.
func enterNamespaces() throws {
  if geteuid() == 0 { return }
  do { try Privilege.enterUserNamespace() } catch { throw LabError("needs root or user namespaces: \(error)") }
}
