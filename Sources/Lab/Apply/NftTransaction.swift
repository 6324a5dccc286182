public import Kernel
internal import NetpolModel
internal import Rendering
public import RuleIR

/// Loads a ruleset into nf_tables over netlink, in one transaction: the same objects that `nft -f` makes of its text.
///
/// Without the host's CAP_NET_ADMIN a transaction is bounded by net.core.wmem_max. A larger ruleset goes in several, its
/// base chains in the last: nothing is judged before all is there, and what a refusal left behind is taken away.
///
/// Throws `RefusedNftObject` where the kernel refuses something, and `Unsupported` where nf_tables can't say it.
public func loadNftables(
  _ ruleset: Ruleset, in namespace: NetworkNamespace, on worker: NamespaceWorker, atMost limit: Int? = nil
) throws {
  let whole = try NftTransaction(ruleset)
  try worker.run(in: namespace) {
    let socket = try NetlinkSocket(.netfilter)
    let room = limit ?? socket.roomForSending(whole.byteCount)
    let transaction = whole.byteCount <= room ? whole : try NftTransaction(ruleset, atMost: room)
    try transaction.send(in: socket)
  }
}

/// Changes a loaded ruleset in one transaction. False where that would be larger than a socket's buffer may be.
///
/// Throws `RefusedNftObject` where the kernel refuses something: then nothing has changed.
func changeNftables(
  _ ruleset: Ruleset, _ changes: RulesetChanges, in namespace: NetworkNamespace, on worker: NamespaceWorker
) throws -> Bool {
  let transaction = try NftTransaction(changes, of: ruleset)
  return try worker.run(in: namespace) {
    let socket = try NetlinkSocket(.netfilter)
    guard transaction.byteCount <= socket.roomForSending(transaction.byteCount) else { return false }
    try transaction.send(in: socket)
    return true
  }
}

/// Takes the tables of a ruleset away, with everything in them.
public func unloadNftables(_ ruleset: Ruleset, in namespace: NetworkNamespace, on worker: NamespaceWorker) throws {
  var batch = NftBatch()
  for table in ruleset.tables { batch.deleteTable(table.name, table.family.netlink) }
  try worker.run(in: namespace) { try batch.send(in: try NetlinkSocket(.netfilter)) }
}

/// A table, set, chain or rule that the kernel did not take; nothing of its ruleset is loaded.
public struct RefusedNftObject: Error, CustomStringConvertible {
  /// What was refused, such as `rule 3 of chain ip filter FORWARD (tcp dport 80 accept)`.
  public let subject: String
  public let error: KernelError
  public var description: String { "the kernel refused \(subject): \(error)" }
}

/// A ruleset as messages for nf_tables: one transaction, or several where one would be too large.
public struct NftTransaction: Sendable {
  private enum Subject: Sendable {
    case table(Table)
    case set(String)
    case chain(String, Table)
    case rule(Rule, number: Int, chain: String, Table)
  }

  /// One transaction, with what each of its messages is for.
  private struct Piece: Sendable {
    var batch = NftBatch()
    var subjects: [Subject] = []
  }

  private var pieces: [Piece] = [Piece()]
  private var lastSetID: UInt32 = 0
  /// Of one transaction.
  private let limit: Int
  private let tables: [Table]

  /// With a limit in bytes, the base chains and their rules stand in the last piece.
  public init(_ ruleset: Ruleset, atMost limit: Int = .max) throws {
    self.limit = limit
    tables = ruleset.tables
    try add(ruleset)
  }

  /// One transaction, whatever its size: before it the old rules judge every packet, behind it the new ones.
  public init(_ changes: RulesetChanges, of ruleset: Ruleset) throws {
    limit = .max
    tables = []
    for table in changes.gone {
      pieces[0].batch.deleteTable(table.name, table.family.netlink)
      label(.table(Table(name: table.name, family: table.family)))
    }
    for table in ruleset.tables {
      for change in changes.members where change.family == table.family { self.change(change, table) }
      for change in changes.elements where change.family == table.family {
        if let set = ruleset.keyedSets.first(where: { $0.name == change.set && $0.family == change.family }) {
          self.change(change, set, table)
        }
      }
    }
    try add(changes.fresh)
  }

  private mutating func add(_ ruleset: Ruleset) throws {
    let isSplit = limit < .max
    var sets: [Int: [SetName: NftSet]] = [:]
    for (index, table) in ruleset.tables.enumerated() {
      pieces[pieces.count - 1].batch.addTable(
        table.name, table.family.netlink, comment: try table.comment.map(nftComment))
      label(.table(table))
      // A rule may jump to a chain behind its own.
      for chain in table.chains where !isSplit || chain.base == nil { try add(chain, table) }
      for set in ruleset.sets where set.family == table.family {
        sets[index, default: [:]][set.name] = try add(set, table)
      }
      for set in ruleset.keyedSets where set.family == table.family {
        sets[index, default: [:]][set.name] = add(set, table)
      }
      if isSplit { continue }
      for chain in table.chains { try addRules(of: chain, table, sets[index] ?? [:]) }
    }
    guard isSplit else { return }
    for (index, table) in ruleset.tables.enumerated() {
      for chain in table.chains where chain.base == nil { try addRules(of: chain, table, sets[index] ?? [:]) }
    }
    if pieces.last?.batch.count != 0 { pieces.append(Piece()) }
    for (index, table) in ruleset.tables.enumerated() {
      for chain in table.chains where chain.base != nil { try add(chain, table) }
      for chain in table.chains where chain.base != nil {
        try addRules(of: chain, table, sets[index] ?? [:], isLast: true)
      }
    }
  }

  /// Of all pieces.
  var byteCount: Int { pieces.reduce(0) { $0 + $1.batch.byteCount } }
  var count: Int { pieces.count }

  public func send(in socket: borrowing NetlinkSocket) throws(RefusedNftObject) {
    for (number, piece) in pieces.enumerated() {
      do throws(NftRefusal) {
        try piece.batch.send(in: socket)
      } catch {
        if number > 0 { takeAway(in: socket) }
        let subject = error.message.map { describe(piece.subjects[$0]) }
        throw RefusedNftObject(
          subject: subject ?? "the transaction of \(piece.batch.count) messages", error: error.error)
      }
    }
  }

  /// What the pieces before a refused one have loaded.
  private func takeAway(in socket: borrowing NetlinkSocket) {
    var batch = NftBatch()
    for table in tables { batch.deleteTable(table.name, table.family.netlink) }
    try? batch.send(in: socket)
  }

  private mutating func add(_ chain: Chain, _ table: Table) throws {
    let base = chain.base.map {
      NftBatch.Base(hook: $0.hook.number, priority: Int32(clamping: $0.priority), drops: $0.policy == .drop)
    }
    pieces[pieces.count - 1].batch.addChain(
      chain.name, in: table.name, table.family.netlink, base: base, comment: try chain.comment.map(nftComment))
    label(.chain(chain.name, table))
  }

  private mutating func addRules(
    of chain: Chain, _ table: Table, _ sets: [SetName: NftSet], isLast: Bool = false
  ) throws {
    for (index, rule) in chain.rules.enumerated() {
      try add(rule, index + 1, chain, table, sets)
      if !isLast { splitIfFull() }
    }
  }

  /// A piece ends well before its limit: no message is longer than 64 KiB, and a rule has few of them.
  private mutating func splitIfFull() {
    if let piece = pieces.last, piece.batch.byteCount > limit / 2 { pieces.append(Piece()) }
  }

  /// The messages since the last call are for `subject`.
  private mutating func label(_ subject: Subject) {
    let last = pieces.count - 1
    while pieces[last].subjects.count < pieces[last].batch.count { pieces[last].subjects.append(subject) }
  }

  private func describe(_ subject: Subject) -> String {
    let family = { (table: Table) in "\(table.family == .v4 ? "ip" : "ip6") \(table.name)" }
    switch subject {
    case .table(let table): return "table \(family(table))"
    case .set(let name): return "set \(name)"
    case .chain(let name, let table): return "chain \(family(table)) \(name)"
    case .rule(let rule, let number, let chain, let table):
      let text = (try? nftRuleText(rule, table.family)) ?? ""
      return "rule \(number) of chain \(family(table)) \(chain) (\(text))"
    }
  }

  private mutating func nextSetID() -> UInt32 {
    lastSetID += 1
    return lastSetID
  }

  private mutating func add(_ set: NamedSet, _ table: Table) throws -> NftSet {
    if set.kind == .hashNet { throw Unsupported("the set \(set.name) of type hash:net", in: "nft") }
    let added = NftSet(
      set.name, [set.family == .v4 ? .ipv4 : .ipv6], id: nextSetID(), isInterval: set.kind == .interval,
      comment: try set.comment.map(nftComment))
    pieces[pieces.count - 1].batch.addSet(added, in: table.name, table.family.netlink)
    label(.set(set.name))
    let members = set.stored.map(\.cidr)
    if set.kind == .interval {
      // nf_tables knows starts and ends only, and would take some overlaps for other ranges.
      for (one, next) in zip(members, members.dropFirst()) where one.overlaps(next) {
        throw Unsupported("the overlapping members \(one) and \(next) of the interval set \(set.name)", in: "nft")
      }
    }
    let elements =
      set.kind == .interval
      ? intervalElements(members.map { ($0.firstAddress.bytes, $0.lastAddress.bytes) })
      : members.map { NftElement($0.network.bytes) }
    var start = 0
    while start < elements.count {
      var end = min(start + NftBatch.elementsInMessage, elements.count)
      // A range that one transaction begins is ended by the same one.
      if set.kind == .interval, end < elements.count {
        while end > start + 1, !elements[end - 1].isEnd { end -= 1 }
      }
      splitIfFull()
      pieces[pieces.count - 1].batch.addElements(
        Array(elements[start..<end]), to: added, in: table.name, table.family.netlink)
      label(.set(set.name))
      start = end
    }
    splitIfFull()
    return added
  }

  private mutating func add(_ set: KeyedSet, _ table: Table) -> NftSet {
    let added = set.netlink(id: nextSetID())
    pieces[pieces.count - 1].batch.addSet(added, in: table.name, table.family.netlink)
    label(.set(set.name))
    let elements = set.netlink(set.elements)
    for start in stride(from: 0, to: elements.count, by: NftBatch.elementsInMessage) {
      splitIfFull()
      pieces[pieces.count - 1].batch.addElements(
        Array(elements[start..<min(start + NftBatch.elementsInMessage, elements.count)]), to: added, in: table.name,
        table.family.netlink)
      label(.set(set.name))
    }
    splitIfFull()
    return added
  }

  private mutating func change(_ change: RulesetChanges.Elements, _ set: KeyedSet, _ table: Table) {
    let (changed, family) = (set.netlink(id: 0), table.family.netlink)
    // A mark is no part of what is looked for.
    let removed = set.netlink(change.removed.map { KeyedSet.Element($0.key, through: $0.through) })
    pieces[0].batch.deleteElements(removed, from: changed, in: table.name, family)
    pieces[0].batch.addElements(set.netlink(change.added), to: changed, in: table.name, family)
    label(.set(set.name))
  }

  private mutating func change(_ change: RulesetChanges.Members, _ table: Table) {
    let family = table.family.netlink
    let changed = NftSet(change.set, [change.family == .v4 ? .ipv4 : .ipv6], id: 0)
    let elements = { (members: [NamedSet.Member]) in members.map { NftElement($0.cidr.network.bytes) } }
    pieces[0].batch.deleteElements(elements(change.removed), from: changed, in: table.name, family)
    pieces[0].batch.addElements(elements(change.added), to: changed, in: table.name, family)
    label(.set(change.set))
  }

  private mutating func add(
    _ rule: Rule, _ number: Int, _ chain: Chain, _ table: Table, _ sets: [SetName: NftSet]
  ) throws {
    var writer = NftRuleWriter(family: table.family, sets: sets)
    for match in rule.matches {
      if case .multiport(let transport, let ranges) = match, ranges.count > 1 {
        let merged = mergedRanges(ranges)
        let isInterval = ranges.contains { $0.first != $0.last }
        let elements =
          isInterval
          ? intervalElements(merged.map { ($0.first.networkBytes, $0.last.networkBytes) })
          : Set(ranges.map(\.first)).sorted().map { NftElement($0.networkBytes) }
        let set = NftSet(
          "__set%d", [.port], id: nextSetID(), isInterval: isInterval, size: elements.count, isAnonymous: true)
        pieces[pieces.count - 1].batch.addSet(set, in: table.name, table.family.netlink)
        pieces[pieces.count - 1].batch.addElements(elements, to: set, in: table.name, table.family.netlink)
        writer.ports(transport, in: set)
      } else {
        try writer.append(match)
      }
    }
    for statement in rule.statements { try writer.append(statement) }
    pieces[pieces.count - 1].batch.addRule(
      writer.expressions, to: chain.name, in: table.name, table.family.netlink,
      comment: try rule.comment.map(nftComment))
    label(.rule(rule, number: number, chain: chain.name, table))
  }
}

/// Starts and ends of ranges that are sorted and don't overlap, as nft writes them.
private func intervalElements(_ ranges: [(first: [UInt8], last: [UInt8])]) -> [NftElement] {
  var elements: [NftElement] = []
  // What lies below the first range is outside.
  if let first = ranges.first?.first, first.contains(where: { $0 != 0 }) {
    elements.append(NftElement(first.map { _ in 0 }, isEnd: true))
  }
  for (first, last) in ranges {
    let isOpen = last.allSatisfy { $0 == 0xff }
    elements.append(NftElement(first, isOpen: isOpen))
    if !isOpen { elements.append(NftElement(successor(last), isEnd: true)) }
  }
  return elements
}

private func successor(_ key: [UInt8]) -> [UInt8] {
  var key = key
  for index in key.indices.reversed() {
    key[index] &+= 1
    if key[index] != 0 { break }
  }
  return key
}

/// nft merges the ranges of a set in a rule where they touch.
private func mergedRanges(_ ranges: [PortRange]) -> [PortRange] {
  var merged: [PortRange] = []
  for range in ranges.sorted(by: { ($0.first, $0.last) < ($1.first, $1.last) }) {
    if let last = merged.last, Int(range.first) <= Int(last.last) + 1 {
      merged[merged.count - 1] = PortRange(last.first, max(last.last, range.last))
    } else {
      merged.append(range)
    }
  }
  return merged
}

/// As `nftText` says it: an nft string can't hold a quote. nft takes at most 128 bytes (NFTNL_UDATA_COMMENT_MAXLEN).
private func nftComment(_ text: String) throws(Unsupported) -> String {
  let text = text.filter { $0 != "\"" }
  if text.utf8.count > 128 { throw Unsupported("the comment \(text) of more than 128 bytes", in: "nft") }
  return text
}

extension Hook {
  /// NF_INET_*, linux/netfilter.h.
  fileprivate var number: UInt32 {
    switch self {
    case .prerouting: 0
    case .input: 1
    case .forward: 2
    case .output: 3
    case .postrouting: 4
    }
  }
}

extension UInt16 {
  var networkBytes: [UInt8] { [UInt8(self >> 8), UInt8(truncatingIfNeeded: self)] }
}
