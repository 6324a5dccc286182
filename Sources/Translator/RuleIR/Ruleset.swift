public import NetpolModel

/// All rules and sets of one node, for both families. A style lowers to it, the evaluator runs it, a kernel loads it.
public struct Ruleset: Hashable, Sendable {
  /// The rule language that the ruleset is written for.
  public enum Backend: String, Hashable, Sendable { case iptables, nftables }

  public var backend: Backend
  public var tables: [Table]
  /// The sets of both families. Names are unique per family. ipsets belong to the network namespace (`ipset(8)`), nft
  /// sets to the table of their family.
  public var sets: [NamedSet]
  /// Only with nftables. A name may occur only once in `sets` and `keyedSets` together, per family.
  public var keyedSets: [KeyedSet]

  public init(
    backend: Backend = .iptables, tables: [Table] = [], sets: [NamedSet] = [], keyedSets: [KeyedSet] = []
  ) {
    self.backend = backend
    self.tables = tables
    self.sets = sets
    self.keyedSets = keyedSets
  }

  /// Whose rules these are, among the rulesets of one node. All programs share iptables' tables. With nftables each has
  /// tables of its own.
  public struct Program: Hashable, Sendable {
    public let backend: Backend
    let table: String?
  }

  public var program: Program { Program(backend: backend, table: backend == .nftables ? tables.first?.name : nil) }

  public func table(_ name: String, _ family: IPFamily) -> Table? {
    tables.first { $0.name == name && $0.family == family }
  }
}

/// A table of one family. With iptables its name is `filter`, `nat` and so on. With nft the name is free.
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

  /// Only the base chains, without rules: what remains of an iptables table after everything is removed.
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
  /// `nil`: a user chain, which only jumps can reach.
  public var base: Base?
  public var rules: [Rule]
  public var comment: String?
  /// Set on a chain for one policy or one pod.
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

  /// Where a base chain is attached. Lower priorities run first. `filter` is 0 (`enum nf_ip_hook_priorities`).
  public struct Base: Hashable, Sendable {
    public enum Policy: String, Hashable, Sendable { case accept, drop }
    /// A `nat` chain sees only the first packet of a connection, and none that another one at its hook has translated.
    public enum Kind: String, Hashable, Sendable { case filter, nat }
    public var kind: Kind
    public var hook: Hook
    public var priority: Int
    public var policy: Policy
    public init(_ hook: Hook, kind: Kind = .filter, priority: Int = 0, policy: Policy = .accept) {
      self.kind = kind
      self.hook = hook
      self.priority = priority
      self.policy = policy
    }

    /// A base chain for translation at its usual priority (`enum nf_ip_hook_priorities`).
    public static func nat(_ hook: Hook) -> Base {
      Base(hook, kind: .nat, priority: hook == .prerouting || hook == .output ? -100 : 100)
    }
  }
}
