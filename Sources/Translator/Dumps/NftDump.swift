public import RuleIR

/// What `nft list ruleset` printed.
public struct NftDump: Hashable, Sendable {
  /// The tables of families `ip` and `ip6`. Chains and rules are in the order of the dump.
  public var tables: [Table]
  /// The sets of these tables. Each name occurs once per family: of two sets with one name, the one in kube-router's
  /// table is kept, or else the first.
  public var sets: [NamedSet]
  /// Sets and maps of concatenated fields. Their names are distinct from those of `sets`.
  public var keyedSets: [KeyedSet]
  /// What RuleIR can't express in tables that are not kube-router's. It is missing from `tables` and `sets`.
  public var foreign: [ForeignObject]

  public init(
    tables: [Table] = [], sets: [NamedSet] = [], keyedSets: [KeyedSet] = [], foreign: [ForeignObject] = []
  ) {
    self.tables = tables
    self.sets = sets
    self.keyedSets = keyedSets
    self.foreign = foreign
  }
}

/// Something of another program in nftables, as text.
public struct ForeignObject: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// A table with everything in it: its family is not `ip` or `ip6`, or its flags change what its rules do.
    case table
    /// A base chain of a type other than `filter`, or on another hook. Each of its rules follows separately.
    case chain
    case rule
    case set
    case map
    case flowtable
    /// A counter, quota, limit, helper …
    case other
  }

  public let kind: Kind
  /// `ip`, `ip6`, `inet`, `bridge` …
  public let family: String
  public let table: String
  /// The chain, or the chain of a rule.
  public let chain: ChainName?
  /// The name of a set, a map, a flowtable or another object.
  public let object: String?
  /// For a rule: the number of rules before it in the chain that were read.
  public let position: Int
  /// The number of rules it contains: one for a rule, all for a table, otherwise 0.
  public let rules: Int
  /// Where it begins, from 1.
  public let line: Int
  /// For a rule its line or JSON object, for everything else the text where it begins.
  public let text: String
  /// Why it was not read.
  public let problem: String
}

/// Whether the table belongs to kube-router's policy controller. In such tables everything must be read.
public func isKubeRouterTable(_ name: String) -> Bool { name.hasPrefix("kube-router-filter") }
