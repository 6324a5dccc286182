internal import NetpolModel
internal import RuleIR

/// A packet by numbers: of its addresses, of the interval of its port, and of what holds for its two ends together.
struct BatchPacket {
  let source: Int
  let destination: Int
  let port: Int
  /// Bit 0: it is bridged. Each further bit: what `PairFacts` says of its two addresses.
  let facts: Int
}

/// How a chain ended, and with which mark.
struct BatchEffect: Hashable {
  enum End: UInt8 {
    case ranOut, `return`, accept, stop, translate, masquerade
  }
  let end: End
  let mark: UInt32
}

/// A match that is not answered for all packets alike.
enum BatchTest: Hashable {
  case sourceIs(Int)
  case destinationIs(Int)
  case source(Int)
  case destination(Int)
  case port(Int)
  case fact(Int)
  case mark(value: UInt32, mask: UInt32, negated: Bool)
  /// By the number of a question to a keyed set.
  case keyed(Int)
}

enum BatchAction: Hashable {
  case jump(Int)
  case setMark(value: UInt32, mask: UInt32)
  /// By the number of a question to a map; without an answer the rule ends.
  case setMarkFrom(Int)
  case end(BatchEffect.End)
}

struct BatchRule {
  let tests: Range<Int>
  let actions: Range<Int>
}

struct BatchChain {
  /// Of all rules, those of this chain.
  var rules: Range<Int> = 0..<0
  /// Where the rules name many single addresses: of all dispatches, the chain's.
  var dispatch: Int?
  /// Where packets have few enough classes here.
  var shape: BatchShape?
  /// Of all groups of tables, the chain's: chains that differ in their single address alone have the same.
  var group = 0
}

/// The tables of chains that do the same to their classes of packets: of the first two marks that packets brought along.
/// Those of others are looked up.
struct BatchTableGroup {
  var first = BatchTable.none
  var second = BatchTable.none
}

/// What became of packets of each class that came with one mark.
struct BatchTable {
  let mark: UInt32
  /// In the entries of all tables; -1: there is none yet.
  let offset: Int
  static let none = BatchTable(mark: 0, offset: -1)
}

/// How the classes of a chain's packets are numbered.
struct BatchShape {
  /// Where an axis's classes begin, how many there are, and the value that has a class of its own beside them.
  struct Side {
    let offset: Int
    let own: Int
    let count: Int
  }
  let source: Side
  let destination: Side
  let port: Side
  /// How many values the asked facts can have: a power of two, since they are the lowest bits.
  let facts: Int
  var size: Int { source.count * destination.count * port.count * facts }
}
