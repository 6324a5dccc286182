internal import NetpolModel
internal import RuleIR

/// What can be asked of a packet's two addresses together.
enum PairQuestion: Hashable {
  /// Whether they are a key of a set of such pairs.
  case key(KeyedQuestion)
  /// Whether the source's place, one for each address, is before the destination's.
  case order([Int32])
}

/// What holds for pairs of addresses, as bits from bit 1 on.
struct PairFacts {
  private struct Pair {
    let destination: Int32
    var facts: Int32
  }
  private let count: Int
  /// Where each source's pairs begin, and where the last one's end; empty where no set has one.
  private var starts: [Int32] = []
  private var pairs: [Pair] = []
  /// Of all addresses, one order after another, and the bit of each order.
  private var places: [Int32] = []
  private var orders: [Int] = []

  init(_ questions: BatchQuestions) {
    let universe = questions.universe
    count = universe.addresses.count
    var lists = [[Pair]](repeating: [], count: count)
    for (index, pair) in questions.pairs.enumerated() {
      switch pair {
      case .order(let places):
        self.places += places
        orders.append(2 << index)
      case .key(let question):
        for element in questions.evaluator.keyedSets[question.set].elements {
          for source in universe.addresses(.source, in: element, of: question) {
            for destination in universe.addresses(.destination, in: element, of: question) {
              if let known = lists[source].firstIndex(where: { $0.destination == destination }) {
                lists[source][known].facts |= 2 << Int32(index)
              } else {
                lists[source].append(Pair(destination: Int32(destination), facts: 2 << Int32(index)))
              }
            }
          }
        }
      }
    }
    pairs = lists.flatMap(\.self)
    if pairs.isEmpty { return }
    var start: Int32 = 0
    for list in lists {
      starts.append(start)
      start += Int32(list.count)
    }
    starts.append(start)
  }

  func facts(_ source: Int, _ destination: Int) -> Int {
    var facts = 0
    for order in orders.indices where places[order * count + source] < places[order * count + destination] {
      facts |= orders[order]
    }
    if starts.isEmpty { return facts }
    for place in Int(starts[source])..<Int(starts[source + 1]) where pairs[place].destination == destination {
      return facts | Int(pairs[place].facts)
    }
    return facts
  }
}
