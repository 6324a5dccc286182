public import NetpolModel

/// The changes from one ruleset to another, as a single nf_tables transaction can make them. If a family keeps its
/// tables, only elements, sets and chains change. Otherwise the whole family is replaced.
///
/// A changed chain is listed once, and its old rules are dropped. If a set or chain is removed and created again, for
/// example with another type, everything that refers to it is written again.
public struct RulesetChanges: Hashable, Sendable {
  public struct TableName: Hashable, Sendable {
    public let name: String
    public let family: IPFamily
    public init(name: String, family: IPFamily) {
      self.name = name
      self.family = family
    }
  }

  /// Changes to the chains of a table that stays.
  public struct Chains: Hashable, Sendable {
    public let table: TableName
    public internal(set) var gone: [ChainName] = []
    public internal(set) var fresh: [Chain] = []
    /// The same chains with different rules.
    public internal(set) var rewritten: [Chain] = []

    init(_ table: TableName) { self.table = table }
    var isEmpty: Bool { gone.isEmpty && fresh.isEmpty && rewritten.isEmpty }
  }

  /// Changes to a `NamedSet`.
  public struct Members: Hashable, Sendable {
    public let place: SetPlace
    public let kind: NamedSet.Kind
    public var removed: [NamedSet.Member]
    public var added: [NamedSet.Member]
    public init(
      _ place: SetPlace, _ kind: NamedSet.Kind = .addresses, removed: [NamedSet.Member], added: [NamedSet.Member]
    ) {
      self.place = place
      self.kind = kind
      self.removed = removed
      self.added = added
    }
    var isEmpty: Bool { removed.isEmpty && added.isEmpty }
  }

  /// Changes to a `KeyedSet`. An element whose mark or range changes is removed and added again.
  public struct Elements: Hashable, Sendable {
    public let place: SetPlace
    public var removed: [KeyedSet.Element]
    public var added: [KeyedSet.Element]
    public init(_ place: SetPlace, removed: [KeyedSet.Element], added: [KeyedSet.Element]) {
      self.place = place
      self.removed = removed
      self.added = added
    }
    var isEmpty: Bool { removed.isEmpty && added.isEmpty }
  }

  /// The families that are replaced completely.
  public internal(set) var replaced: [IPFamily] = []
  /// The tables removed with those families.
  public internal(set) var gone: [TableName] = []
  /// Removed sets of families that stay.
  public internal(set) var goneSets: [SetPlace] = []
  /// The tables and sets of replaced families, and the new sets of tables that stay.
  public internal(set) var fresh: Ruleset
  public internal(set) var chains: [Chains] = []
  public var members: [Members] = []
  public var elements: [Elements] = []

  /// An empty list of changes for a back end.
  public init(_ backend: Ruleset.Backend) { fresh = Ruleset(backend: backend) }

  public var isEmpty: Bool {
    replaced.isEmpty && goneSets.isEmpty && fresh.sets.isEmpty && fresh.keyedSets.isEmpty && chains.isEmpty
      && members.isEmpty && elements.isEmpty
  }
}
