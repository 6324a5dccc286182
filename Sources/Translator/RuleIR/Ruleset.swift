public import NetpolModel

/// All rules and sets of one node, both families: what a style lowers to, what a machine runs, what a kernel loads.
public struct Ruleset: Hashable, Sendable {
  public var tables: [Table]
  /// ipsets belong to the network namespace, not to a table (`ipset(8)`).
  public var sets: [NamedSet]

  public init(tables: [Table] = [], sets: [NamedSet] = []) {
    self.tables = tables
    self.sets = sets
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

  public init(name: String, family: IPFamily, chains: [Chain] = []) {
    self.name = name
    self.family = family
    self.chains = chains
  }

  public func chain(_ name: ChainName) -> Chain? { chains.first { $0.name == name } }
}

public typealias ChainName = String
public typealias SetName = String

public struct Chain: Hashable, Sendable {
  public var name: ChainName
  /// Nil: a user chain, reached by jumps alone.
  public var base: Base?
  public var rules: [Rule]

  public init(name: ChainName, base: Base? = nil, rules: [Rule] = []) {
    self.name = name
    self.base = base
    self.rules = rules
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
