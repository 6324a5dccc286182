internal import NetpolModel
internal import RuleIR

/// Which pairs of addresses are keys of sets of such pairs, as bits from bit 1 on.
struct PairFacts {
  private struct Pair {
    let destination: Int32
    var facts: Int32
  }
  /// Where each source's pairs begin, and where the last one's end; empty where no rule asks.
  private var starts: [Int32] = []
  private var pairs: [Pair] = []

  init(_ questions: BatchQuestions) {
    if questions.pairs.isEmpty { return }
    let universe = questions.universe
    var lists = [[Pair]](repeating: [], count: universe.addresses.count)
    for (index, question) in questions.pairs.enumerated() {
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
    for list in lists {
      starts.append(Int32(pairs.count))
      pairs += list
    }
    starts.append(Int32(pairs.count))
  }

  func facts(_ source: Int, _ destination: Int) -> Int {
    if starts.isEmpty { return 0 }
    for place in Int(starts[source])..<Int(starts[source + 1]) where pairs[place].destination == destination {
      return Int(pairs[place].facts)
    }
    return 0
  }
}
