package import Kernel

/// What a lab takes of the machine's memory, in bytes.
package enum MemoryNeed: Sendable {
  case namespaces(Int)
  case flows(Int)

  /// About what was measured: 0.55 MiB of the kernel's memory for a pod, 1.2 KiB for a flow.
  package var bytes: Int {
    switch self {
    case .namespaces(let count): count << 19
    case .flows(let count): count << 10
    }
  }

  /// Throws `LabError` if the machine or the container has less. Otherwise the kernel would kill the process later.
  package func require(of memory: FreeMemory? = .now) throws(LabError) {
    guard let memory, bytes > memory.bytes else { return }
    let whose = memory.isOfControlGroup ? "this container" : "this machine"
    let (what, smaller) =
      switch self {
      case .namespaces(let count): ("\(count) namespaces", "a cluster with fewer pods, such as with --max-replicas 1")
      case .flows(let count): ("\(count) flows", "fewer flows, such as with --from and --to")
      }
    throw LabError(
      "\(what) need some \(bytes >> 20) MiB of memory, and \(whose) has \(memory.bytes >> 20) MiB free; end other "
        + "programs, give it more, or ask about \(smaller)")
  }
}
