public import RuleIR

/// What `nft list ruleset` printed.
public struct NftDump: Hashable, Sendable {
  /// The tables of families `ip` and `ip6`, chains and rules in the order of the dump.
  public var tables: [Table]
  /// The sets of these tables. A name is one of its family: of two sets, one in kube-router's table or the first stays.
  public var sets: [NamedSet]
  /// Sets and maps of joined fields; they share the names of `sets`.
  public var keyedSets: [KeyedSet]
  /// What RuleIR can't say in tables that are not kube-router's. It is missing from `tables` and `sets`.
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

/// Something of somebody else in nftables, as text.
public struct ForeignObject: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// With everything in it: another family than `ip` and `ip6`, or flags that change what its rules do.
    case table
    /// A base chain of another type than `filter`, or on another hook. Each of its rules stands behind it.
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
  /// The chain, of a rule too.
  public let chain: ChainName?
  /// The name of a set, a map, a flowtable or another object.
  public let object: String?
  /// Of a rule: how many rules of the chain that were read stand before it.
  public let position: Int
  /// How many rules it holds: one for a rule, all for a table, else none.
  public let rules: Int
  /// From 1: where it begins.
  public let line: Int
  /// Of a rule its line or JSON object, of all else where it begins.
  public let text: String
  /// Why it was not read.
  public let problem: String
}

/// The tables of kube-router's policy controller: nothing in them may stay unread.
public func isKubeRouterTable(_ name: String) -> Bool { name.hasPrefix("kube-router-filter") }
