/// The names in a node's dump that show which enforcer may have written it.
public struct DumpNames: Hashable, Sendable {
  public var backend: Ruleset.Backend
  public var tables: Set<String>
  public var chains: Set<ChainName>

  public init(backend: Ruleset.Backend, tables: Set<String>, chains: Set<ChainName>) {
    self.backend = backend
    self.tables = tables
    self.chains = chains
  }

  public init(_ tables: [Table], _ backend: Ruleset.Backend) {
    self.init(
      backend: backend, tables: Set(tables.map(\.name)), chains: Set(tables.flatMap { $0.chains.map(\.name) }))
  }

  /// The names that no other program uses. With iptables, tables and built-in chains are shared by all programs.
  public static func own(_ tables: [Table], _ backend: Ruleset.Backend) -> DumpNames {
    switch backend {
    case .nftables: return DumpNames(tables, backend)
    case .iptables:
      let chains = tables.flatMap(\.chains).filter { $0.base == nil }
      return DumpNames(backend: backend, tables: [], chains: Set(chains.map(\.name)))
    }
  }

  public var isEmpty: Bool { tables.isEmpty && chains.isEmpty }

  public func contains(_ other: DumpNames) -> Bool {
    backend == other.backend && tables.isSuperset(of: other.tables) && chains.isSuperset(of: other.chains)
  }
}
