internal import NetpolModel
internal import RuleIR

/// A question about a packet's two addresses together.
enum PairQuestion: Hashable {
  /// Whether they are a key of a set of address pairs.
  case key(KeyedQuestion)
  /// Whether the source's place comes before the destination's. There is one place for each address.
  case order([Int32])
}

/// Facts about pairs of addresses, as bits from bit 1 on.
struct PairFacts {
  private struct Pair {
    let destination: Int32
    var facts: Int32
  }
  private let count: Int
  /// Where each source's pairs begin, and where the last one's end. Empty if there are no pairs.
  private var starts: [Int32] = []
  private var pairs: [Pair] = []
  /// The places of all addresses, one order after another, and the bit of each order.
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
