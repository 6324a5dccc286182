public import NetpolModel

/// All rules and sets of one node, both families: what a style lowers to, what the evaluator runs, what a kernel loads.
public struct Ruleset: Hashable, Sendable {
  /// Whose language it is written for.
  public enum Backend: String, Hashable, Sendable { case iptables, nftables }

  public var backend: Backend
  public var tables: [Table]
  /// Of both families; a name is one of its family. ipsets belong to the network namespace (`ipset(8)`), nft sets to the
  /// table of their family.
  public var sets: [NamedSet]
  /// Of nftables alone; they share the names of `sets`.
  public var keyedSets: [KeyedSet]

  public init(
    backend: Backend = .iptables, tables: [Table] = [], sets: [NamedSet] = [], keyedSets: [KeyedSet] = []
  ) {
    self.backend = backend
    self.tables = tables
    self.sets = sets
    self.keyedSets = keyedSets
  }

  public func table(_ name: String, _ family: IPFamily) -> Table? {
    tables.first { $0.name == name && $0.family == family }
  }
}

/// A table of one family; its name is `filter`, `nat` … with iptables, free with nft.
public struct Table: Hashable, Sendable {
  public var name: String
  public var family: IPFamily
  public var chains: [Chain]
  public var comment: String?

  public init(name: String, family: IPFamily, chains: [Chain] = [], comment: String? = nil) {
    self.name = name
    self.family = family
    self.chains = chains
    self.comment = comment
  }

  public func chain(_ name: ChainName) -> Chain? { chains.first { $0.name == name } }

  /// Its base chains alone, without rules: what is left of iptables' tables when all is taken away.
  public var emptied: Table {
    Table(
      name: name, family: family,
      chains: chains.filter { $0.base != nil }.map { Chain(name: $0.name, base: $0.base) })
  }
}

public typealias ChainName = String
public typealias SetName = String

public struct Chain: Hashable, Sendable {
  public var name: ChainName
  /// Nil: a user chain, reached by jumps alone.
  public var base: Base?
  public var rules: [Rule]
  public var comment: String?
  /// Of a chain that stands for one policy or one pod.
  public var origin: Origin?

  public init(
    name: ChainName, base: Base? = nil, rules: [Rule] = [], comment: String? = nil, origin: Origin? = nil
  ) {
    self.name = name
    self.base = base
    self.rules = rules
    self.comment = comment
    self.origin = origin
  }

  /// Where a base chain hangs. Lower priorities run first; `filter` is 0 (`enum nf_ip_hook_priorities`).
  public struct Base: Hashable, Sendable {
    public enum Policy: String, Hashable, Sendable { case accept, drop }
    public var hook: Hook
    public var priority: Int
    public var policy: Policy
    public init(_ hook: Hook, priority: Int = 0, policy: Policy = .accept) {
      self.hook = hook
      self.priority = priority
      self.policy = policy
    }
  }
}
