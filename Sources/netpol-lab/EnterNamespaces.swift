import Foundation
import Kernel
import Network

/// What packets need. To be called when arguments and files are found to be good, since bad input is the same on any machine,
/// and while the process has one thread: for an ordinary user it enters a user namespace, which unshare(2) refuses to a
/// process with several. Reading starts none. Throws `LabError` where the machine has no namespace for them.
func enterNamespaces() throws {
  if geteuid() == 0 { return }
  do { try Privilege.enterUserNamespace() } catch { throw LabError("needs root or user namespaces: \(error)") }
}
