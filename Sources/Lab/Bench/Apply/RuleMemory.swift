internal import Apply
internal import Glibc
internal import Kernel
internal import Lowering
internal import RuleIR
internal import Statistics

/// Kernel memory that the rules of a node take: several copies in namespaces of their own, minus namespaces in which
/// the same tables are empty.
struct RuleMemory {
  let style: EnforcementStyle
  private let ruleset: Ruleset
  private let empty: Ruleset
  private(set) var sizes: [Double] = []

  init(_ style: EnforcementStyle, _ world: ApplyWorld) {
    self.style = style
    ruleset = style.lower(world.view).ruleset
    empty = Ruleset(backend: ruleset.backend, tables: ruleset.tables.map(\.emptied))
  }

  /// Adds one value: what the rules take beyond the empty tables.
  mutating func measure(copies: Int, on worker: NamespaceWorker) throws {
    let loader = try RuleLoader(worker: worker)
    let namespaces = try (0..<copies).map { _ in try worker.makeNamespace() }
    for namespace in namespaces { try loader.load(empty, in: namespace) }
    let before = try Self.settled()
    for namespace in namespaces {
      if ruleset.backend == .nftables { try loader.unload(empty, in: namespace) }
      try loader.load(ruleset, in: namespace)
    }
    let after = try Self.settled()
    sizes.append(Double(after.bytes - before.bytes) / Double(copies))
    // Sooner than the kernel would: it removes namespaces one by one in its own time.
    for namespace in namespaces { try loader.unload(ruleset, in: namespace) }
  }

  /// Freed memory is returned after some time.
  private static func settled() throws -> KernelMemory {
    usleep(300_000)
    return try KernelMemory.now()
  }

  var row: ApplyBenchReport.Memory {
    ApplyBenchReport.Memory(style: style.name, bytes: Distribution(sizes))
  }
}
