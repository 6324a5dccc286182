public import Kernel
internal import NetpolModel
public import RuleIR

/// A ruleset, or the changes from one to another, as messages for nf_tables.
public struct NftTransaction: Sendable {
  private var messages: NftPieces
  /// Deleted if a piece after the first is refused.
  private let tables: [Table]

  /// With a limit in bytes it may become several transactions. The base chains and their rules are then in the last
  /// one.
  public init(_ ruleset: Ruleset, atMost limit: Int = .max) throws {
    messages = NftPieces(atMost: limit)
    tables = ruleset.tables
    try messages.load(ruleset)
  }

  /// One transaction of any size: before it the old rules judge every packet, after it the new ones do.
  public init(_ changes: RulesetChanges, of ruleset: Ruleset) throws {
    messages = NftPieces(atMost: .max)
    tables = []
    try messages.change(ruleset, changes)
  }

  /// Size of all its transactions in bytes.
  public var byteCount: Int { messages.byteCount }
  /// Number of transactions.
  public var count: Int { messages.pieces.count }
  /// Number of messages in all transactions.
  public var messageCount: Int { messages.pieces.reduce(0) { $0 + $1.batch.count } }

  /// Throws the first refusal. Nothing of it is loaded then.
  public func send(in socket: borrowing NetlinkSocket) throws(RefusedNftObject) {
    for (number, piece) in messages.pieces.enumerated() {
      do throws(NftRefusal) {
        try piece.batch.send(in: socket)
      } catch {
        if number > 0 { takeAway(in: socket) }
        let subject = error.message.map { piece.subjects[$0].description }
        throw RefusedNftObject(
          subject: subject ?? "the transaction of \(piece.batch.count) messages", error: error.error)
      }
    }
  }

  /// Deletes what the pieces before a refused one have loaded.
  private func takeAway(in socket: borrowing NetlinkSocket) {
    var batch = NftBatch()
    for table in tables { batch.deleteTable(table.name, table.family.netlink) }
    try? batch.send(in: socket)
  }
}

/// A table, set, chain or rule that the kernel refused. Nothing of its ruleset is loaded.
public struct RefusedNftObject: Error, CustomStringConvertible {
  /// What was refused, such as `rule 3 of chain ip filter FORWARD (tcp dport 80 accept)`.
  public let subject: String
  public let error: KernelError
  public var description: String { "the kernel refused \(subject): \(error)" }
}

extension NftPieces {
  fileprivate mutating func load(_ ruleset: Ruleset) throws {
    let isSplit = limit < .max
    var sets: [[SetName: NftSet]] = []
    for table in ruleset.tables {
      try add(table)
      // A rule may jump to a chain that comes after its own.
      for chain in table.chains where !isSplit || chain.base == nil { try add(chain, table) }
      let added = try add(ruleset.sets, ruleset.keyedSets, table)
      sets.append(added)
      if isSplit { continue }
      for chain in table.chains { try addRules(of: chain, table, added) }
    }
    guard isSplit else { return }
    for (table, sets) in zip(ruleset.tables, sets) {
      for chain in table.chains where chain.base == nil { try addRules(of: chain, table, sets) }
    }
    split()
    for (table, sets) in zip(ruleset.tables, sets) {
      for chain in table.chains where chain.base != nil { try add(chain, table) }
      for chain in table.chains where chain.base != nil { try addRules(of: chain, table, sets, isLast: true) }
    }
  }

  /// Rules are deleted before the objects that they refer to, and added after them.
  fileprivate mutating func change(_ old: Ruleset, _ changes: RulesetChanges) throws {
    for table in changes.gone {
      let table = Table(name: table.name, family: table.family)
      append(.table(table)) { $0.deleteTable(table.name, table.family.netlink) }
    }
    for table in old.tables where !changes.replaced.contains(table.family) {
      let chains = changes.chains.filter { $0.table.name == table.name && $0.table.family == table.family }
      let elements = changes.elements.filter { $0.place.family == table.family }.compactMap { change in
        old.keyedSets.first { $0.name == change.place.set && $0.family == table.family }.map { (change, $0) }
      }
      // A verdict's chain can only be deleted after the verdict, and must be there before it.
      for (change, set) in elements { takeAway(change, set, table) }
      for change in chains { empty(change, table) }
      for place in changes.goneSets where place.family == table.family {
        append(.set(place.set)) { $0.deleteSet(place.set, in: table.name, table.family.netlink) }
      }
      // A removed map may be the last that leads to a chain.
      for change in chains { delete(change, table) }
      for change in chains { for chain in change.fresh { try add(chain, table) } }
      let added = try add(changes.fresh.sets, changes.fresh.keyedSets, table)
      for change in changes.members where change.place.family == table.family { self.change(change, table) }
      for (change, set) in elements { addElements(change, set, table) }
      if chains.isEmpty { continue }
      let sets = Self.sets(of: old, table.family).merging(added) { $1 }
      for change in chains {
        for chain in change.fresh + change.rewritten { try addRules(of: chain, table, sets) }
      }
    }
    var fresh = changes.fresh
    fresh.sets.removeAll { !changes.replaced.contains($0.family) }
    fresh.keyedSets.removeAll { !changes.replaced.contains($0.family) }
    try load(fresh)
  }
}
