internal import Kernel
internal import NetpolModel
internal import Rendering
internal import RuleIR

/// Messages for nf_tables, each with its subject, in one transaction, or in several if one would be too large.
struct NftPieces: Sendable {
  enum Subject: Sendable {
    case table(Table)
    case set(SetName)
    case chain(ChainName, Table)
    case rule(Rule, number: Int, ChainName, Table)
  }

  /// One transaction.
  struct Piece: Sendable {
    var batch = NftBatch()
    var subjects: [Subject] = []
  }

  private(set) var pieces: [Piece] = [Piece()]
  private var lastSetID: UInt32 = 0
  /// Maximum size of one transaction in bytes.
  let limit: Int

  init(atMost limit: Int) { self.limit = limit }

  var byteCount: Int { pieces.reduce(0) { $0 + $1.batch.byteCount } }

  mutating func nextSetID() -> UInt32 {
    lastSetID += 1
    return lastSetID
  }

  mutating func append(_ subject: Subject, _ messages: (inout NftBatch) -> Void) {
    let last = pieces.count - 1
    messages(&pieces[last].batch)
    while pieces[last].subjects.count < pieces[last].batch.count { pieces[last].subjects.append(subject) }
  }

  /// Starts a new piece if the last one is full. A piece ends well before its limit, since no message is longer than 64
  /// KiB and a rule has few messages.
  mutating func splitIfFull() {
    if let piece = pieces.last, piece.batch.byteCount > limit / 2 { pieces.append(Piece()) }
  }

  /// Starts a new transaction for what follows.
  mutating func split() {
    if pieces.last?.batch.count != 0 { pieces.append(Piece()) }
  }
}

extension NftPieces.Subject: CustomStringConvertible {
  var description: String {
    let family = { (table: Table) in "\(table.family.nft) \(table.name)" }
    switch self {
    case .table(let table): return "table \(family(table))"
    case .set(let name): return "set \(name)"
    case .chain(let name, let table): return "chain \(family(table)) \(name)"
    case .rule(let rule, let number, let chain, let table):
      let text = (try? nftRuleText(rule, table.family)) ?? ""
      return "rule \(number) of chain \(family(table)) \(chain) (\(text))"
    }
  }
}
