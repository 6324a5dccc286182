import Foundation
import Kernel
import Network

/// What packets need. To be called first of all, while the process has one thread: for an ordinary user it enters a user
/// namespace. Throws `LabError` where the machine has none for them.
func enterNamespaces() throws {
  if geteuid() == 0 { return }
  do { try Privilege.enterUserNamespace() } catch { throw LabError("needs root or user namespaces: \(error)") }
}
