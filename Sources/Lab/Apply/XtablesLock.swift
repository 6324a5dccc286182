public import Kernel

/// A lock for a lab's iptables programs, so that the host's `/run/xtables.lock` is never touched.
///
/// It keeps two programs from writing a table of the same namespace at the same time. Namespaces have tables of their
/// own, so that programs in different ones need not wait for each other: each worker's programs have a lock.
public struct XtablesLock: Sendable {
  private let file: MemoryFile

  public init() throws(KernelError) { file = try MemoryFile("xtables.lock") }

  /// A command that takes this lock wherever it would take the host's lock.
  public func command(_ arguments: [String], input: [UInt8] = []) -> Command {
    Command(arguments, input: input, environment: ["XTABLES_LOCKFILE": file.path], inherited: file)
  }
}
