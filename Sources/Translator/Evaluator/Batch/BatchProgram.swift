internal import NetpolModel
internal import RuleIR

/// A packet as numbers: of its addresses, of the interval of its port, and of the facts about its two ends together.
struct BatchPacket {
  let source: Int
  let destination: Int
  let port: Int
  /// Bit 0: it is bridged. Other bits: the facts of `PairFacts` about its two addresses.
  let facts: Int
}

/// How a chain ended, and the mark at its end.
struct BatchEffect: Hashable {
  enum End: UInt8 {
    case ranOut, `return`, accept, stop, translate, masquerade
  }
  let end: End
  let mark: UInt32
}

/// A match whose answer depends on the packet.
enum BatchTest: Hashable {
  case sourceIs(Int)
  case destinationIs(Int)
  case source(Int)
  case destination(Int)
  case port(Int)
  case fact(Int)
  case mark(value: UInt32, mask: UInt32, negated: Bool)
  /// The number of a question to a keyed set.
  case keyed(Int)
}

enum BatchAction: Hashable {
  case jump(Int)
  /// As a jump, but the chain ends with it.
  case goto(Int)
  /// The number of a question to a verdict map, and where its verdicts are. Without an answer the rule ends.
  case verdictFrom(Int, Range<Int>)
  case setMark(value: UInt32, mask: UInt32)
  /// The number of a question to a map. Without an answer the rule ends.
  case setMarkFrom(Int)
  case end(BatchEffect.End)
}

struct BatchRule {
  let tests: Range<Int>
  let actions: Range<Int>
}

struct BatchChain {
  /// The chain's part of all rules.
  var rules: Range<Int> = 0..<0
  /// The chain's index in all dispatches, if its rules name many single addresses.
  var dispatch: Int?
  /// `nil` if its packets would need too many classes.
  var shape: BatchShape?
  /// The chain's index in all groups of tables. Chains that differ only in their single address share a group.
  var group = 0
}

/// The tables of chains that do the same to their classes of packets, for the first two marks that packets arrived
/// with. Tables for other marks have to be looked up.
struct BatchTableGroup {
  var first = BatchTable.none
  var second = BatchTable.none
}

/// What happened to packets of each class that arrived with one mark.
struct BatchTable {
  let mark: UInt32
  /// Where it begins in the entries of all tables. -1 if there is no table yet.
  let offset: Int
  static let none = BatchTable(mark: 0, offset: -1)
}

/// How the classes of a chain's packets are numbered.
struct BatchShape {
  /// Where an axis's classes begin, the value that has an additional class of its own, and how many classes there are.
  struct Side {
    let offset: Int
    let own: Int
    let count: Int
  }
  let source: Side
  let destination: Side
  let port: Side
  /// How many values the facts in question can have. A power of two, because they are the lowest bits.
  let facts: Int
  var size: Int { source.count * destination.count * port.count * facts }
}
