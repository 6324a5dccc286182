public import NetpolModel

/// What turns one ruleset into another, as one transaction of nf_tables can: elements, sets and chains of tables that
/// stay, and all of a family where its tables are others.
///
/// A chain that changes is named once: what it held is gone. Where a set or chain is gone and comes again, as when its type
/// changes, everything that refers to it is written again.
public struct RulesetChanges: Hashable, Sendable {
  public struct TableName: Hashable, Sendable {
    public let name: String
    public let family: IPFamily
    public init(name: String, family: IPFamily) {
      self.name = name
      self.family = family
    }
  }

  public struct Place: Hashable, Sendable {
    public let set: SetName
    public let family: IPFamily
    public init(set: SetName, family: IPFamily) {
      self.set = set
      self.family = family
    }
  }

  /// Of a table that stays.
  public struct Chains: Hashable, Sendable {
    public let table: TableName
    public internal(set) var gone: [ChainName] = []
    public internal(set) var fresh: [Chain] = []
    /// The same chains with other rules.
    public internal(set) var rewritten: [Chain] = []

    init(_ table: TableName) { self.table = table }
    var isEmpty: Bool { gone.isEmpty && fresh.isEmpty && rewritten.isEmpty }
  }

  /// Of a `NamedSet`.
  public struct Members: Hashable, Sendable {
    public let place: Place
    public let kind: NamedSet.Kind
    public var removed: [NamedSet.Member]
    public var added: [NamedSet.Member]
    public init(
      _ place: Place, _ kind: NamedSet.Kind = .addresses, removed: [NamedSet.Member], added: [NamedSet.Member]
    ) {
      self.place = place
      self.kind = kind
      self.removed = removed
      self.added = added
    }
    var isEmpty: Bool { removed.isEmpty && added.isEmpty }
  }

  /// Of a `KeyedSet`. An element that stands for something else now is removed and added.
  public struct Elements: Hashable, Sendable {
    public let place: Place
    public var removed: [KeyedSet.Element]
    public var added: [KeyedSet.Element]
    public init(_ place: Place, removed: [KeyedSet.Element], added: [KeyedSet.Element]) {
      self.place = place
      self.removed = removed
      self.added = added
    }
    var isEmpty: Bool { removed.isEmpty && added.isEmpty }
  }

  /// Families of which everything is another now.
  public internal(set) var replaced: [IPFamily] = []
  /// What went with them.
  public internal(set) var gone: [TableName] = []
  /// Sets of families that stay.
  public internal(set) var goneSets: [Place] = []
  /// The tables and sets that take the place of what went, and new sets of tables that stay.
  public internal(set) var fresh: Ruleset
  public internal(set) var chains: [Chains] = []
  public var members: [Members] = []
  public var elements: [Elements] = []

  /// None, for a back end.
  public init(_ backend: Ruleset.Backend) { fresh = Ruleset(backend: backend) }

  public var isEmpty: Bool {
    replaced.isEmpty && goneSets.isEmpty && fresh.sets.isEmpty && fresh.keyedSets.isEmpty && chains.isEmpty
      && members.isEmpty && elements.isEmpty
  }
}
